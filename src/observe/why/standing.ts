/**
 * A guest that lives, and that a debugger holds: where it stands, what it went through, and what it goes towards.
 *
 * @module
 */
import type { FaultRecord } from '../../engine/contract.js';
import { hex } from '../explorer/words.js';
import { mostRepeated } from './endings.js';
import { eventText, faultText } from './gates.js';
import { isProtected, modeText, placeText, type Scene } from './scene.js';

export interface Standing {
  steps: string[];
  mistakes: string[];
}

/** What there is to say of a guest of which nothing has died. */
export function explainStanding(scene: Scene): Standing {
  const { registers, faults } = scene;
  const interrupts = `interrupts are ${registers.rflags & 0x200n ? 'on' : 'off'} (RFLAGS.IF = ${registers.rflags & 0x200n ? 1 : 0})`;
  const ring = isProtected(scene.system) ? `, ring ${scene.cpl}` : '';
  const steps = [`it runs in ${modeText(scene)}${ring}; ${interrupts}`];
  const last = faults.at(-1);
  if (last !== undefined) steps.push(lastException(scene, last));
  const ahead = whatComes(scene);
  const repeated = mostRepeated(faults);
  return {
    steps: ahead === undefined ? steps : [...steps, ahead],
    mistakes:
      repeated === undefined
        ? []
        : [
            `It raises ${faultText(repeated.fault)} at ${placeText(repeated.fault.cs, repeated.fault.rip)} again and again (${repeated.times} of the last ${faults.length} exceptions): the handler comes back to the very instruction that faults, with nothing changed.`,
          ],
  };
}

function lastException({ locate }: Scene, fault: FaultRecord): string {
  const [, meaning = ''] = /(\(.*\))$/.exec(eventText(fault.vector)) ?? [];
  const where = locate(fault.rip);
  const place = `${placeText(fault.cs, fault.rip)}${where === undefined ? '' : `, ${where}`}`;
  const address = fault.vector === 14 ? `, for the address ${hex(fault.cr2)}` : '';
  return `the last exception was ${`${faultText(fault)} ${meaning}`.trimEnd()} at ${place}${address}; it has reached its handler`;
}

/** Said of the next instruction alone where it ends the guest, or leads nowhere. */
function whatComes({ instruction, registers }: Scene): string | undefined {
  const target = instruction?.operands[0];
  if (instruction === undefined) return 'there is no memory where its next instruction would be';
  if (instruction.mnemonic === 'hlt' && !(registers.rflags & 0x200n))
    return 'its next instruction is HLT with interrupts off: the guest ends there';
  if (instruction.mnemonic === 'jmp' && target?.kind === 'target' && target.address === registers.rip)
    return 'its next instruction jumps to itself: only an interrupt leads away from there';
  return undefined;
}
