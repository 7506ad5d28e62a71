import { DebugError, type Debugger, type DebugStop } from '../../debug/index.js';
import type { TravelPrompt } from './prompts.js';

/** Goes to the moment that was typed: a number of instructions, an exit, the last write of some memory. */
export async function travel(held: Debugger, kind: TravelPrompt, text: string): Promise<DebugStop> {
  if (kind === 'wrote') return held.lastWrite(text);
  const range = await held.history();
  if (range === undefined) throw new DebugError((await held.target.noHistory()) ?? 'there is no history');
  if (text === 'start') return held.goTo(range.first);
  if (text === 'end') return held.goTo(range.last);
  const [, exit, digits] = /^(exit\s+)?([\d,_]+)$/.exec(text) ?? [];
  if (digits === undefined)
    throw new DebugError(`'${text}' is no moment: write a number of instructions, exit 5, start or end`);
  const number = Number(digits.replace(/[,_]/g, ''));
  return exit === undefined ? held.goTo(number) : held.goToExit(number);
}
