/**
 * Keys by their evdev numbers (linux/input-event-codes.h): those of the first PC keyboard are its scan codes of set 1.
 *
 * @module
 */
import { keyNames, keys } from '../../keyboard/keys.js';

/** Keys whose scan codes begin with E0, or are a sequence. */
const others: Readonly<Record<string, number>> = {
  NumpadEnter: 96,
  ControlRight: 97,
  NumpadDivide: 98,
  PrintScreen: 99,
  AltRight: 100,
  Home: 102,
  ArrowUp: 103,
  PageUp: 104,
  ArrowLeft: 105,
  ArrowRight: 106,
  End: 107,
  ArrowDown: 108,
  PageDown: 109,
  Insert: 110,
  Delete: 111,
  Pause: 119,
  MetaLeft: 125,
  MetaRight: 126,
  ContextMenu: 127,
};

/** Each key's number, by its name. */
export const keyCodes: ReadonlyMap<string, number> = new Map(
  keyNames.flatMap((name): [string, number][] => {
    const code = others[name] ?? keys.get(name)?.set1;
    return code === undefined ? [] : [[name, code]];
  }),
);
