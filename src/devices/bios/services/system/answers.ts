import type { Frame } from '../../frame.js';
import { hex } from '../../words.js';

const UNSUPPORTED = 0x86;

/** INT 15h returns the result of a call in CF and AH. */
export function refuse(frame: Frame, status = UNSUPPORTED): void {
  frame.ah = status;
  frame.carry = true;
}

export function accept(frame: Frame): void {
  frame.ah = 0;
  frame.carry = false;
}

/** How a call ended. */
export const outcome = ({ carry, ah }: Frame) => (carry ? `refused (${hex(ah)})` : 'ok');
