/**
 * A PS/2 keyboard: the device at the other end of the cable: its keys, the commands that a system may send it, and the
 * bytes of its answers. Source: IBM PS/2 Hardware Interface Technical Reference, keyboard.
 *
 * @module
 */
import { MILLISECOND } from '../../time/index.js';
import { booleanField, bytesField, DeviceStateError, registerField, stateFields } from '../state.js';
import { keyNames, keys } from './keys.js';

/** The most waiting bytes; a keyboard that is not read reports once that it has lost some. */
const BUFFER = 16;

const ACK = 0xfa;
const RESEND = 0xfe;
const SELF_TEST_PASSED = 0xaa;
/** A keyboard with 102 or so keys, MF2. */
const IDENTITY = [0xab, 0x83];

/** Bits of `leds`. */
export const Led = { scroll: 1, num: 2, caps: 4 } as const;

/** 10.9 characters a second after half a second, as after a reset. */
const DEFAULT_TYPEMATIC = 0x2b;

export interface KeyboardState {
  queue: number[];
  scanSet: number;
  enabled: boolean;
  leds: number;
  typematic: number;
  /** The command that waits for its argument; 0 where none does. */
  command: number;
  lastSent: number;
  overflowed: boolean;
  held: string[];
  repeating: string | null;
  /** Nanoseconds until the key that is held repeats. */
  untilRepeat: number | null;
}

/** The keyboard. Moments are those of the machine's clock. */
export class Ps2Keyboard {
  /** Called when the lights change. */
  onLeds: (leds: number) => void = () => {};
  #queue: number[] = [];
  #scanSet = 2;
  #enabled = true;
  #leds = 0;
  #typematic = DEFAULT_TYPEMATIC;
  #command = 0;
  #lastSent = 0;
  #overflowed = false;
  readonly #held = new Set<string>();
  #repeating: string | undefined;
  #repeatAt = Number.POSITIVE_INFINITY;

  get waiting(): boolean {
    return this.#queue.length > 0;
  }

  /** The lights: see `Led`. */
  get leds(): number {
    return this.#leds;
  }

  /** When the key that is held is sent again; Infinity where none is. */
  get repeatAt(): number {
    return this.#repeatAt;
  }

  /** The next byte to the system. Only where there is one. */
  send(): number {
    const byte = this.#queue.shift() ?? 0;
    if (this.#queue.length === 0) this.#overflowed = false;
    this.#lastSent = byte;
    return byte;
  }

  /** A key goes down. A key that is already down is ignored: the keyboard itself repeats it. */
  press(name: string, now: number): void {
    if (this.#held.has(name)) return;
    this.#held.add(name);
    if (!this.#enabled) return;
    this.#sendKey(name, true);
    if (name === 'Pause') return;
    this.#repeating = name;
    this.#repeatAt = now + this.#delay;
  }

  release(name: string): void {
    if (!this.#held.delete(name)) return;
    if (name === this.#repeating) this.#stopRepeating();
    if (this.#enabled) this.#sendKey(name, false);
  }

  /** Repeats the key that is held, as often as was due. */
  repeat(now: number): void {
    while (this.#repeating !== undefined && now >= this.#repeatAt) {
      // A system that was paused for a long time gets one repetition, not a thousand.
      this.#repeatAt = Math.max(this.#repeatAt + this.#period, now - this.#period);
      if (this.#enabled && !this.#overflowed) this.#sendKey(this.#repeating, true);
    }
  }

  /** A byte from the system: a command, or the argument of the one before. */
  receive(byte: number): void {
    const { [this.#command]: takesArgument } = argumentOf;
    if (takesArgument !== undefined && byte < 0x80) {
      const command = this.#command;
      this.#command = 0;
      this.#argument(command, byte);
      return;
    }
    this.#command = 0;
    // Bytes that were not read yet are dropped: the answer comes first.
    if (byte !== 0xfe) this.#queue = [];
    this.#perform(byte);
  }

  #perform(byte: number): void {
    switch (byte) {
      case 0xed: // set the lights
      case 0xf0: // choose or return the scan code set
      case 0xf3: // set the typematic rate
        this.#command = byte;
        this.#queue.push(ACK);
        break;
      case 0xee: // echo
        this.#queue.push(0xee);
        break;
      case 0xf2: // identify
        this.#queue.push(ACK, ...IDENTITY);
        break;
      case 0xf4:
        this.#enabled = true;
        this.#queue.push(ACK);
        break;
      case 0xf5:
        this.#setDefaults();
        this.#enabled = false;
        this.#queue.push(ACK);
        break;
      case 0xf6:
        this.#setDefaults();
        this.#queue.push(ACK);
        break;
      case 0xfe:
        this.#queue.unshift(this.#lastSent);
        break;
      case 0xff:
        this.#setDefaults();
        this.#setLeds(0);
        this.#enabled = true;
        this.#queue.push(ACK, SELF_TEST_PASSED);
        break;
      default:
        this.#queue.push(RESEND);
    }
  }

  #argument(command: number, byte: number): void {
    if (command === 0xed) this.#setLeds(byte & 7);
    else if (command === 0xf3) this.#typematic = byte & 0x7f;
    else if (byte === 0) {
      this.#queue.push(ACK, this.#scanSet);
      return;
    } else if (byte === 1 || byte === 2) this.#scanSet = byte;
    else {
      // Set 3 is for terminals; few keyboards had it, and this one does not.
      this.#queue.push(RESEND);
      return;
    }
    this.#queue.push(ACK);
  }

  #setDefaults(): void {
    this.#typematic = DEFAULT_TYPEMATIC;
    this.#scanSet = 2;
    this.#stopRepeating();
  }

  #setLeds(leds: number): void {
    if (leds === this.#leds) return;
    this.#leds = leds;
    this.onLeds(leds);
  }

  #stopRepeating(): void {
    this.#repeating = undefined;
    this.#repeatAt = Number.POSITIVE_INFINITY;
  }

  /** Nanoseconds until the first repetition: a quarter of a second, times one more than bits 5 and 6. */
  get #delay(): number {
    return 250 * MILLISECOND * (((this.#typematic >> 5) & 3) + 1);
  }

  /** Nanoseconds between repetitions: (8 + A) · 2^B · 4.17 ms with A in bits 0 to 2 and B in bits 3 and 4. */
  get #period(): number {
    return (8 + (this.#typematic & 7)) * 2 ** ((this.#typematic >> 3) & 3) * 4_170_000;
  }

  #sendKey(name: string, down: boolean): void {
    const bytes = this.#codesOf(name, down);
    if (bytes.length === 0 || this.#overflowed) return;
    if (this.#queue.length + bytes.length > BUFFER) {
      this.#overflowed = true;
      this.#queue.push(this.#scanSet === 1 ? 0xff : 0x00);
    } else this.#queue.push(...bytes);
  }

  #codesOf(name: string, down: boolean): readonly number[] {
    const first = this.#scanSet === 1;
    if (name === 'Pause') {
      if (!down) return [];
      return first ? [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5] : [0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77];
    }
    if (name === 'PrintScreen') {
      if (first) return down ? [0xe0, 0x2a, 0xe0, 0x37] : [0xe0, 0xb7, 0xe0, 0xaa];
      return down ? [0xe0, 0x12, 0xe0, 0x7c] : [0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12];
    }
    const { set1, set2, extended } = keys.get(name)!;
    const bytes = first ? [down ? set1 : set1 | 0x80] : down ? [set2] : [0xf0, set2];
    return extended ? [0xe0, ...bytes] : bytes;
  }

  save(now: number): KeyboardState {
    return {
      queue: [...this.#queue],
      scanSet: this.#scanSet,
      enabled: this.#enabled,
      leds: this.#leds,
      typematic: this.#typematic,
      command: this.#command,
      lastSent: this.#lastSent,
      overflowed: this.#overflowed,
      held: [...this.#held],
      repeating: this.#repeating ?? null,
      untilRepeat: this.#repeating === undefined ? null : this.#repeatAt - now,
    };
  }

  load(device: string, state: unknown, now: number): void {
    const fields = stateFields(device, state, this.save(now));
    const { held, repeating, untilRepeat } = fields;
    // An unknown name would send no code.
    const named = (name: unknown) => typeof name === 'string' && keyNames.includes(name);
    if (!Array.isArray(held) || held.length > keyNames.length || !held.every(named))
      throw new DeviceStateError(device, `'held' is not a list of keys`);
    if (repeating !== null && !named(repeating))
      throw new DeviceStateError(device, `'repeating' is ${String(repeating)}, neither null nor a key`);
    if ((untilRepeat === null) !== (repeating === null) || (untilRepeat !== null && !isTime(untilRepeat)))
      throw new DeviceStateError(device, `'untilRepeat' is ${String(untilRepeat)}`);
    const queue = bytesField(device, 'queue', fields.queue, BUFFER + 8);
    const scanSet = registerField(device, 'scanSet', fields.scanSet, 3);
    if (scanSet !== 1 && scanSet !== 2) throw new DeviceStateError(device, `'scanSet' is ${scanSet}`);
    this.#enabled = booleanField(device, 'enabled', fields.enabled);
    this.#leds = registerField(device, 'leds', fields.leds, 7);
    this.#typematic = registerField(device, 'typematic', fields.typematic, 0x7f);
    this.#command = registerField(device, 'command', fields.command, 0xff);
    this.#lastSent = registerField(device, 'lastSent', fields.lastSent, 0xff);
    this.#overflowed = booleanField(device, 'overflowed', fields.overflowed);
    this.#queue = queue;
    this.#scanSet = scanSet;
    this.#held.clear();
    for (const name of held as string[]) this.#held.add(name);
    this.#repeating = repeating === null ? undefined : (repeating as string);
    this.#repeatAt = untilRepeat === null ? Number.POSITIVE_INFINITY : now + (untilRepeat as number);
  }
}

/** Commands that have an argument. */
const argumentOf: Readonly<Record<number, true>> = { 237: true, 240: true, 243: true };

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value);
}
