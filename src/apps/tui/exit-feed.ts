import type { ExitRow } from './model.js';

/** How many exits are kept. */
const KEPT = 200;
/** Of larger pieces only the last lines are parsed: this many bytes hold more lines than are kept. */
const MANY = 128 * 1024;
const NEWLINE = 10;

interface ExitJson {
  kind: string;
  direction?: string;
  port?: string;
  address?: string;
  data?: string;
  count?: number;
  device?: string;
  register?: string;
  means?: string;
}

/** The machine's trace, of which the last exits are kept. A debugger's own stops do not count as exits of the guest. */
export class ExitFeed {
  #count = 0;
  #lines: { number: number; text: string }[] = [];
  #rest = '';
  #decoder = new TextDecoder();

  /** Number of exits so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the trace as NDJSON. A guest that runs makes hundreds of thousands of lines a second. */
  take(bytes: Uint8Array): void {
    if (bytes.length < MANY) this.#read(bytes);
    else this.#readLast(bytes);
  }

  /** Counts all lines, and parses the last. */
  #readLast(bytes: Uint8Array): void {
    let from = bytes.length;
    for (let kept = 0; kept <= KEPT && from > 0; kept++) from = bytes.lastIndexOf(NEWLINE, from - 1);
    // The line that began in the previous piece ends here; like all these lines it is only counted.
    this.#decoder = new TextDecoder();
    this.#rest = '';
    for (let at = bytes.indexOf(NEWLINE); at >= 0 && at <= from; at = bytes.indexOf(NEWLINE, at + 1))
      this.#count++;
    this.#read(bytes.subarray(from + 1));
  }

  #read(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop()!;
    for (const text of lines) {
      if (/"kind":"(debug|interrupted|interruptWindow)"/.test(text)) continue;
      this.#lines.push({ number: ++this.#count, text });
    }
    if (this.#lines.length > KEPT) this.#lines = this.#lines.slice(-KEPT);
  }

  clear(): void {
    this.#count = 0;
    this.#lines = [];
    this.#rest = '';
  }

  /** The last exits. */
  get rows(): ExitRow[] {
    return this.#lines.map(({ number, text }) => rowOf(number, JSON.parse(text) as ExitJson));
  }
}

function rowOf(number: number, exit: ExitJson): ExitRow {
  const { kind, direction, data = '', count = 1, device = 'nobody answers', register, means } = exit;
  const place = exit.port ?? exit.address;
  if (direction === undefined || place === undefined) return { number, what: kind, words: '' };
  // A call of the BIOS is shown as a call, not as the ROM's access to a port.
  if (/^(vga-)?bios$/.test(device) && register !== undefined && register !== 'BIOS call')
    return { number, what: register, words: means ?? '' };
  const arrow = direction === 'out' || direction === 'write' ? '←' : '→';
  const times = count > 1 ? ` ×${count}` : '';
  // A character is shown beside its number.
  const character = means !== undefined && /^'.'$/.test(means) ? ` ${means}` : '';
  const what = `${direction.padEnd(5)} ${place.padEnd(5)} ${arrow} ${data}${character}${times}`;
  const meaning = [device, register, character === '' ? means : undefined].filter(
    (word) => word !== undefined,
  );
  return { number, what, words: meaning.join(' ') };
}
