/**
 * IRET and far returns whose frame is wrong (SDM 2A IRET, RET).
 *
 * @module
 */
import { hex, isLongMode } from '../inspect/index.js';
import { type Finding, isProtected, type Scene, stackTop } from './scene.js';
import { checkSelector, descriptorOf } from './selectors.js';

/** The error in a far return's frame; undefined for other instructions and for valid frames. */
export function explainReturn(scene: Scene): Finding | undefined {
  const { instruction, code, cpl, registers } = scene;
  const isIret = /^iret/.test(instruction?.mnemonic ?? '');
  if (!isProtected(scene.system) || (!isIret && !/^(l?retf?)$/.test(instruction?.mnemonic ?? '')))
    return undefined;
  if (instruction?.mnemonic === 'ret') return undefined;
  const operand = instruction?.encoding?.operandSize ?? code;
  const size = operand === 64 ? 8 : operand === 32 ? 4 : 2;
  const frame = stackTop(scene, 5, size);
  const names = isIret ? ['IP', 'CS', 'FLAGS', 'SP', 'SS'] : ['IP', 'CS', 'SP', 'SS'];
  const [ip, cs = 0n] = frame;
  if (ip === undefined) return undefined;
  const evidence = [
    `the frame at SS:${hex(registers.rsp)}, ${size} bytes each: ${frame
      .slice(0, names.length)
      .map((value, n) => `${names[n]} ${hex(value)}`)
      .join(', ')}`,
  ];
  const selector = Number(cs & 0xffffn);
  const shifted = frameMistake(scene, frame, isIret);
  const found = checkSelector({ ...scene, cpl: selector & 3 }, selector, 'code');
  if (found !== undefined) {
    return {
      check: `the frame's code segment is wrong: ${found.check}`,
      evidence: [...evidence, ...(found.evidence ?? [])],
      mistake: shifted ?? found.mistake ?? '',
    };
  }
  if ((selector & 3) < cpl) {
    return {
      check: `it would return from ring ${cpl} to ring ${selector & 3}, and a return never raises the privilege`,
      evidence,
      mistake: shifted ?? 'The frame must hold the selectors that were pushed.',
    };
  }
  const dpl = descriptorOf(scene, selector)?.segment.dpl;
  if (dpl !== undefined && dpl !== (selector & 3)) {
    return {
      check: `the frame's CS has RPL ${selector & 3}, and its segment DPL ${dpl}: both must be the ring to return to`,
      evidence,
      mistake: `To go to ring 3 push the selector with RPL 3 (for instance 0x1b) of a code segment with DPL 3 (access byte 0xfa), and a stack segment of the same ring.`,
    };
  }
  const outward = (selector & 3) > cpl || (isIret && isLongMode(scene.system));
  const ss = frame[isIret ? 4 : 3];
  if (!outward || ss === undefined) return undefined;
  const stack = checkSelector({ ...scene, cpl: selector & 3 }, Number(ss & 0xffffn), 'stack');
  if (stack === undefined) return undefined;
  return {
    check: `the frame's stack segment is wrong: ${stack.check}`,
    evidence: [...evidence, ...(stack.evidence ?? [])],
    mistake:
      `Going to an outer ring, the frame has five values: IP, CS, FLAGS, SP and SS. ${stack.mistake ?? ''}`.trim(),
  };
}

/** Is there a value on top that should have been popped, such as an error code? */
function frameMistake(scene: Scene, frame: readonly bigint[], isIret: boolean): string | undefined {
  if (!isIret) return undefined;
  const next = Number((frame[2] ?? 0n) & 0xffffn);
  const ip = frame[1] ?? 0n;
  if (descriptorOf(scene, next)?.kind !== 'code' || (ip <= 0xffn && ip < 8n)) return undefined;
  return 'One value too many is on the stack: below it is a valid frame. #DF, #TS, #NP, #SS, #GP, #PF and #AC push an error code, which the handler must remove (add $4, %esp; add $8, %rsp) before IRET.';
}
