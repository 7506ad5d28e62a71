/**
 * A guest that has not died and that a debugger has stopped: its position, its last exceptions, and its next instruction.
 *
 * @module
 */

import type { DryRun, FaultRecord } from '../engine/contract/index.js';
import { hex } from '../inspect/index.js';
import { RFLAGS } from '../x86/index.js';
import { mostRepeated } from './endings.js';
import { explainFault } from './faults.js';
import { eventText, faultText } from './gates.js';
import { isProtected, modeText, placeText, type Scene } from './scene.js';

/** The explanation of a guest that has not died. */
export interface CurrentState {
  title: string;
  steps: { text: string; why?: string }[];
  evidence: string[];
  mistakes: string[];
}

/** @param ahead the dry run of its next instruction, where there is one */
export function explainCurrentState(scene: Scene, ahead: DryRun | undefined): CurrentState {
  const { registers, faults, instruction } = scene;
  const on = (registers.rflags & RFLAGS.IF) !== 0n;
  const ring = isProtected(scene.system) ? `, ring ${scene.cpl}` : '';
  const steps: CurrentState['steps'] = [
    {
      text: `it runs in ${modeText(scene)}${ring}; interrupts are ${on ? 'on' : 'off'} (RFLAGS.IF = ${on ? 1 : 0})`,
    },
  ];
  const evidence: string[] = [];
  const last = faults.at(-1);
  if (last !== undefined) steps.push({ text: lastException(scene, last) });
  const next = ahead?.faults[0];
  if (next !== undefined) {
    const found = explainFault(scene, next);
    const who =
      instruction === undefined
        ? 'fetching its next instruction'
        : `its next instruction, ${instruction.text},`;
    steps.push({ text: `${who} raises ${longFault(next)}, whose handler is called`, why: found.check });
    evidence.push(...(found.evidence ?? []));
  }
  const coming = next === undefined ? nextEvent(scene) : undefined;
  if (coming !== undefined) steps.push({ text: coming });
  return {
    title: 'the guest has not died: it is stopped and can continue',
    steps,
    evidence,
    mistakes: repetition(faults),
  };
}

function repetition(faults: readonly FaultRecord[]): string[] {
  const repeated = mostRepeated(faults);
  if (repeated === undefined) return [];
  const { fault, times } = repeated;
  return [
    `It raises ${faultText(fault)} at ${placeText(fault.cs, fault.rip)} again and again (${times} of the last ${faults.length} exceptions): the handler returns to the same instruction that faults, with nothing changed.`,
  ];
}

function lastException({ locate }: Scene, fault: FaultRecord): string {
  const where = locate(fault.rip);
  const place = `${placeText(fault.cs, fault.rip)}${where === undefined ? '' : `, ${where}`}`;
  const address = fault.vector === 14 ? `, for the address ${hex(fault.cr2)}` : '';
  return `the last exception was ${longFault(fault)} at ${place}${address}; it has reached its handler`;
}

/** `#GP(0x30) (general protection fault)`. */
export function longFault(fault: FaultRecord): string {
  const [, meaning = ''] = /(\(.*\))$/.exec(eventText(fault.vector)) ?? [];
  return `${faultText(fault)} ${meaning}`.trimEnd();
}

/** About the next instruction, only where it ends the guest or loops forever. */
function nextEvent({ instruction, registers }: Scene): string | undefined {
  const target = instruction?.operands[0];
  if (instruction === undefined) return 'there is no memory where its next instruction would be';
  if (instruction.mnemonic === 'hlt' && !(registers.rflags & RFLAGS.IF))
    return 'its next instruction is HLT with interrupts off: the guest ends there';
  if (instruction.mnemonic === 'jmp' && target?.kind === 'target' && target.address === registers.rip)
    return 'its next instruction jumps to itself: only an interrupt can end that';
  return undefined;
}
