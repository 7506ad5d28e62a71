import type { ExitRow } from './model.js';

/** Exits that are kept. */
const KEPT = 200;

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

/** The machine's trace, of which the last exits are kept. A debugger's own stops are no exits of the guest. */
export class ExitFeed {
  #count = 0;
  #lines: { number: number; text: string }[] = [];
  #rest = '';
  readonly #decoder = new TextDecoder();

  /** Exits so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the trace as NDJSON. */
  take(bytes: Uint8Array): void {
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

  /** The last of them. */
  get rows(): ExitRow[] {
    return this.#lines.map(({ number, text }) => rowOf(number, JSON.parse(text) as ExitJson));
  }
}

function rowOf(number: number, exit: ExitJson): ExitRow {
  const { kind, direction, data = '', count = 1, device = 'nobody answers', register, means } = exit;
  const place = exit.port ?? exit.address;
  if (direction === undefined || place === undefined) return { number, what: kind, words: '' };
  const arrow = direction === 'out' || direction === 'write' ? '←' : '→';
  const times = count > 1 ? ` ×${count}` : '';
  // A character says more than its number, and stands beside it.
  const character = means !== undefined && /^'.'$/.test(means) ? ` ${means}` : '';
  const what = `${direction.padEnd(5)} ${place.padEnd(5)} ${arrow} ${data}${character}${times}`;
  const meaning = [device, register, character === '' ? means : undefined].filter(
    (word) => word !== undefined,
  );
  return { number, what, words: meaning.join(' ') };
}
