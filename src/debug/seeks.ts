import type { Debugger } from './debugger.js';
import type { Progress } from './seeker.js';
import type { DebugStop } from './state.js';

/** A search in time that was typed. */
export type Seek = (debug: Debugger, report?: Progress) => Promise<DebugStop>;

/** `last write counter`, `next write counter`, `last change rax`, `first rax == 5`, `last rax == 5`; undefined for other text. */
export function seekOf(text: string): Seek | undefined {
  const [, way, what] = /^\s*(last\s+write|next\s+write|last\s+change|first|last)\s+(\S.*)$/.exec(text) ?? [];
  if (way === undefined || what === undefined || /^(write|change)$/.test(what.trim())) return undefined;
  // A variable of C may have such a name: `last == 5`, `first[2]`.
  if (/^([=+/<>&|^.,[%]|[-*] |!=)/.test(what)) return undefined;
  switch (way.replace(/\s+/, ' ')) {
    case 'last write':
      return (debug) => debug.lastWrite(what);
    case 'next write':
      return (debug) => debug.nextWrite(what);
    case 'last change':
      return (debug) => debug.lastChange(what.trim());
    case 'first':
      return (debug, report) => debug.firstTime(what, report);
    default:
      return (debug, report) => debug.lastTime(what, report);
  }
}

/** A line about a long search. */
export function progressText(done: number, all: number): string {
  return `searched ${done.toLocaleString('en')} of ${all.toLocaleString('en')} instructions\n`;
}
