import { DebugError, type Debugger, type DebugStop, type Progress } from '../../debug/index.js';
import type { TravelPrompt } from './prompts.js';

/** Goes to the moment that was typed: a number of instructions, an exit, a write to memory, a condition. */
export async function travel(
  held: Debugger,
  kind: TravelPrompt,
  text: string,
  report: Progress,
): Promise<DebugStop> {
  if (kind === 'wrote') return held.lastWrite(text);
  if (kind === 'nextWrite') return held.nextWrite(text);
  if (kind === 'changed') return held.lastChange(text);
  if (kind === 'held') return whenHeld(held, text, report);
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

/** `first rax == 5`, `last rax == 5`. */
async function whenHeld(held: Debugger, text: string, report: Progress): Promise<DebugStop> {
  const [, which, condition = ''] = /^(first|last)\s+(.+)$/.exec(text) ?? [];
  if (which === undefined) throw new DebugError(`first or last? Write it as in: last ${text}`);
  return which === 'first' ? held.firstTime(condition, report) : held.lastTime(condition, report);
}
