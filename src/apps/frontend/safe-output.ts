/**
 * Makes a guest's output safe for a terminal. A terminal obeys control sequences: they move its cursor, rename its window,
 * send input as if the user had typed it, and in some terminals write to the clipboard.
 *
 * @module
 */
import { printableText } from '../../symbols/index.js';

/** Controls that lines are made of: BS, HT, LF, CR. Others are shown as Unicode's control pictures (U+2400). */
const lineControls = new Set([8, 9, 10, 13]);

/** Removes control sequences from a stream of bytes, also where a chunk ends inside one. */
export class SafeOutput {
  readonly #decoder = new TextDecoder();

  /** The bytes to print for those that the guest printed. */
  take(bytes: Uint8Array): Uint8Array {
    const text = this.#decoder.decode(bytes, { stream: true });
    let out = '';
    for (const character of text) {
      const code = character.charCodeAt(0);
      if (lineControls.has(code)) out += character;
      else if (code < 0x20) out += String.fromCharCode(0x2400 + code);
      else out += code === 0x7f ? '␡' : printableText(character);
    }
    return Buffer.from(out);
  }
}

/** The option of every command that shows a guest's console; on by default where the run was started elsewhere. */
export const SAFE_OUTPUT =
  "remove control sequences from the guest's output: they could rename this terminal's window or send it input";
