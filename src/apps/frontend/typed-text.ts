/**
 * `--type`: the text to type on the guest's keyboard, at the start or at a moment of the run.
 *
 * @module
 */
import type { Moment, TypedText } from '../../runtime/index.js';
import { parseCount, parseDuration, unescapeKeys } from './values.js';

/** A text without a moment is typed at the start. */
export type TypedFlag = Omit<TypedText, 'at'> & Partial<Pick<TypedText, 'at'>>;

/** A moment after an @ at the end; another @ is a character like others. */
const MOMENT = /^(.*?)@(\d[\d.]*(?:us|ms|s|m)|hlt|exit:\d+|prints:.+)$/is;

/** `dir\n`, `x@3s`, `x@HLT`, `x@exit:1000`, `root\n@prints:login:`; several are typed, each at its time. */
export function addTyped(text: string, before: readonly TypedFlag[] = []): TypedFlag[] {
  const [, keys = text, moment] = MOMENT.exec(text) ?? [];
  return [...before, { text: unescapeKeys(keys), ...(moment !== undefined && { at: momentOf(moment) }) }];
}

function momentOf(moment: string): TypedText['at'] {
  const prints = /^prints:(.*)$/is.exec(moment)?.[1];
  return prints === undefined ? runMoment(moment) : { at: 'prints', prints };
}

/** `HLT`, `exit:1000`, or a duration. */
function runMoment(moment: string): Moment {
  if (/^hlt$/i.test(moment)) return { at: 'halt' };
  const [, exit] = /^exit:(.*)$/i.exec(moment) ?? [];
  if (exit !== undefined) return { at: 'exit', exit: parseCount(exit) };
  return { at: 'time', milliseconds: parseDuration(moment) };
}

/** The text to type at the start; undefined if there is none. */
export function typedAtStart(typed: readonly TypedFlag[] | undefined): string | undefined {
  const texts = (typed ?? []).filter(({ at }) => at === undefined);
  return texts.length === 0 ? undefined : texts.map(({ text }) => text).join('');
}

/** The others, for a machine's `typing`; nothing where there are none. */
export function typedLater(typed: readonly TypedFlag[] | undefined): { typing?: TypedText[] } {
  const typing = (typed ?? []).flatMap(({ text, at }) => (at === undefined ? [] : [{ text, at }]));
  return typing.length === 0 ? {} : { typing };
}
