import type { InputStream } from '../contract/index.js';
import {
  FCR_DMA_MODE,
  FCR_ENABLE,
  FCR_RESET_RECEIVER,
  FCR_TRIGGER,
  FIFO_SIZE,
  TRIGGER_LEVELS,
} from './registers.js';

/**
 * The receiver of a 16550A and its FIFO control register. The FIFO is a ring, of which the 16450 mode uses one place; the
 * transmitter has none here, since its bytes leave at once.
 */
export class SerialReceiver {
  /** A character arrived without room (overrun); until the line status is read. */
  overrun = false;
  /** Bits of FCR that keep their value; those that reset something do not. */
  #control = 0;
  /** The character that was read last, which RBR returns while it is empty. */
  #last = 0;
  readonly #fifo = new Uint8Array(FIFO_SIZE);
  #first = 0;
  #count = 0;

  get control(): number {
    return this.#control;
  }

  get last(): number {
    return this.#last;
  }

  get empty(): boolean {
    return this.#count === 0;
  }

  get fifosEnabled(): boolean {
    return (this.#control & FCR_ENABLE) !== 0;
  }

  /** It holds enough characters to request "received data available". */
  get atTrigger(): boolean {
    return this.#count >= (this.fifosEnabled ? TRIGGER_LEVELS[(this.#control >> 6) as 0 | 1 | 2 | 3] : 1);
  }

  /** Its characters, the oldest first. */
  get characters(): number[] {
    return Array.from({ length: this.#count }, (_, i) => this.#fifo[(this.#first + i) % FIFO_SIZE]!);
  }

  /** FCR is written. Bit 0 must be 1 when other bits are, or they are not programmed; changing it empties the FIFOs (8.5). */
  writeControl(value: number): void {
    const enable = (value & FCR_ENABLE) !== 0;
    if (enable !== this.fifosEnabled || (enable && value & FCR_RESET_RECEIVER)) this.#count = 0;
    this.#control = enable ? value & (FCR_ENABLE | FCR_DMA_MODE | FCR_TRIGGER) : 0;
  }

  /** The oldest character, or the last one again. */
  take(): number {
    if (this.#count > 0) {
      this.#last = this.#fifo[this.#first]!;
      this.#first = (this.#first + 1) % FIFO_SIZE;
      this.#count--;
    }
    return this.#last;
  }

  /** Receives waiting bytes, as far as there is room. */
  fill(input: InputStream<number>): void {
    while (this.#count < this.#capacity) {
      const byte = input.read();
      if (byte === undefined) return;
      this.#push(byte);
    }
  }

  /** A character arrives, whether there is room or not. */
  receive(byte: number): void {
    if (this.#count < this.#capacity) {
      this.#push(byte);
      return;
    }
    // An overrun: a full FIFO keeps its content, the single register of the 16450 mode takes the new character (8.4).
    this.overrun = true;
    if (!this.fifosEnabled) this.#fifo[this.#first] = byte;
  }

  /** Restores the state in which `control`, `last`, `characters` and `overrun` were read. */
  restore(control: number, last: number, characters: readonly number[], overrun: boolean): void {
    this.#control = control;
    this.#last = last;
    this.overrun = overrun;
    this.#fifo.set(characters);
    this.#first = 0;
    this.#count = characters.length;
  }

  get #capacity(): number {
    return this.fifosEnabled ? FIFO_SIZE : 1;
  }

  #push(byte: number): void {
    this.#fifo[(this.#first + this.#count) % FIFO_SIZE] = byte;
    this.#count++;
  }
}
