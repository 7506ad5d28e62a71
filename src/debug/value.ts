import type { Shown } from './c/function-view.js';
import type { PlainValue } from './plain-value.js';

export type { Place } from './plain-value.js';

/** The value of an expression. */
export interface Value extends PlainValue {
  /** It is a value of C, with its type and its parts. */
  c?: Shown;
}
