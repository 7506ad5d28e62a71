/**
 * Input devices (5.8): events as evdev defines them, of a keyboard or of a tablet, which reports absolute positions.
 *
 * @module
 */
import type { DeviceHost, InputSource, InputStream } from '../../contract/index.js';
import type { KeyEvent } from '../../keyboard/keys.js';
import { DeviceStateError, registerField, stateFields } from '../../state.js';
import { Type } from '../constants.js';
import { VirtioDevice } from '../device.js';
import type { VirtQueue } from '../queue/index.js';
import { keyCodes } from './key-codes.js';

/** A driver's queries in the configuration (5.8.4). */
const Select = { none: 0, name: 1, serial: 2, ids: 3, properties: 0x10, events: 0x11, axis: 0x12 } as const;
/** Kinds of events, and the few codes that are not keys (linux/input-event-codes.h). */
const Kind = { end: 0, key: 1, relative: 2, absolute: 3, repeat: 0x14 } as const;
const [BUTTON_LEFT, BUTTON_RIGHT, BUTTON_MIDDLE] = [0x110, 0x111, 0x112] as const;
const WHEEL = 8;
/** The highest position of a tablet, in both directions. */
export const TABLET_MOST = 32_767;
const EVENT = 8;
const ANSWER_AT = 8;
const ANSWER = 128;
/** The most events that wait for buffers: further events are dropped completely. */
const MOST_WAITING = 256;

/** An event: its kind, its code and its value. */
type InputEventWords = [kind: number, code: number, value: number];

/** The position of a tablet's pen, from 0 to `TABLET_MOST`, and its buttons: 1 left, 2 right, 4 middle. */
export interface Pointing {
  x: number;
  y: number;
  buttons: number;
  /** Steps of the wheel, down; default 0. */
  wheel?: number;
}

/** A device's answers, by selector. */
type Answers = (select: number, part: number) => readonly number[];

abstract class VirtioInput<T> extends VirtioDevice {
  readonly #answers: Answers;
  readonly #source: InputSource<T> | undefined;
  #push: (value: T) => void = (value) => this.#come(value);
  #stream: InputStream<T> | undefined;
  #select = 0;
  #part = 0;
  #waiting: InputEventWords[] = [];

  protected constructor(name: string, answers: Answers, source: InputSource<T> | undefined) {
    super({
      name,
      type: Type.input,
      features: [],
      queues: [
        { name: 'events', maximum: 64 },
        { name: 'status', maximum: 64 },
      ],
      configSize: ANSWER_AT + ANSWER,
    });
    this.#answers = answers;
    this.#source = source;
  }

  protected override attached(host: DeviceHost): void {
    this.#push = host.inputs.port('events', (value: T) => this.#come(value));
    this.#stream = host.inputs.stream('events of a source', this.#source, () => {
      for (let value = this.#stream?.read(); value !== undefined; value = this.#stream?.read())
        this.#come(value);
    });
  }

  /** An action on the device. */
  protected push(value: T): void {
    this.#push(value);
  }

  /** The events for a value. */
  protected abstract eventsOf(value: T): readonly InputEventWords[];

  #come(value: T): void {
    const events = this.eventsOf(value);
    if (events.length === 0 || this.#waiting.length + events.length >= MOST_WAITING || !this.isLive) return;
    this.#waiting.push(...events, [Kind.end, 0, 0]);
    this.act(this.queues[0]!);
  }

  override canAct(): boolean {
    return this.isLive && this.#stream?.open === true;
  }

  protected serve(queue: VirtQueue): void {
    // Lights and sounds, which do not exist here.
    if (queue.index === 1) this.drain(queue, () => 0);
    else this.#give(queue);
  }

  #give(queue: VirtQueue): void {
    while (this.#waiting.length > 0) {
      const chain = this.take(queue);
      if (chain === undefined) return;
      const [kind, code, value] = this.#waiting.shift()!;
      const view = new DataView(new ArrayBuffer(EVENT));
      view.setUint16(0, kind, true);
      view.setUint16(2, code, true);
      view.setInt32(4, value, true);
      queue.ring?.push(chain, chain.write(0, new Uint8Array(view.buffer)));
    }
  }

  override writeConfig(offset: number, size: number, value: number): void {
    if (offset === 0) this.#select = value & 0xff;
    if (offset <= 1 && offset + size > 1) this.#part = (value >>> (8 * (1 - offset))) & 0xff;
  }

  protected override configByte(offset: number): number {
    if (offset === 0) return this.#select;
    if (offset === 1) return this.#part;
    const answer = this.#answers(this.#select, this.#part);
    return offset === 2 ? answer.length : (answer[offset - ANSWER_AT] ?? 0);
  }

  protected override resetOwn(): void {
    this.#select = 0;
    this.#part = 0;
    this.#waiting = [];
  }

  protected override saveOwn() {
    return this.#saved();
  }

  #saved() {
    return { select: this.#select, part: this.#part, waiting: this.#waiting.map((event) => [...event]) };
  }

  protected override loadOwn(state: unknown): void {
    const { name } = this;
    const { select, part, waiting } = stateFields(name, state, this.#saved());
    this.#select = registerField(name, 'select', select, 0xff);
    this.#part = registerField(name, 'part', part, 0xff);
    const isEvent = (event: unknown): event is InputEventWords =>
      Array.isArray(event) && event.length === 3 && event.every(Number.isInteger);
    if (!Array.isArray(waiting) || waiting.length > MOST_WAITING || !waiting.every(isEvent))
      throw new DeviceStateError(name, `'waiting' is no list of at most ${MOST_WAITING} events`);
    this.#waiting = waiting.map((event) => [...event]);
  }
}

const text = (words: string) => Array.from(words, (one) => one.charCodeAt(0));
/** Bus (virtual), vendor, product, version: as in QEMU. */
const ids = (product: number) => [6, 0, 0x27, 6, product, 0, 1, 0];

/** Numbers as a bitmap, without zero bytes at its end. */
function bitmap(codes: Iterable<number>): number[] {
  const bytes: number[] = [];
  for (const code of codes) {
    while (bytes.length <= code >> 3) bytes.push(0);
    bytes[code >> 3]! |= 1 << (code & 7);
  }
  return bytes;
}

const keyboardKeys = bitmap(keyCodes.values());

function keyboardAnswers(select: number, part: number): readonly number[] {
  if (select === Select.name) return text('Terrarium keyboard');
  if (select === Select.ids) return ids(1);
  if (select !== Select.events) return [];
  // Linux repeats keys by itself, if a keyboard reports repeats.
  return part === Kind.key ? keyboardKeys : part === Kind.repeat ? [3] : [];
}

/** A keyboard. */
export class VirtioKeyboard extends VirtioInput<KeyEvent> {
  constructor(name = 'virtio-keyboard', source?: InputSource<KeyEvent>) {
    super(name, keyboardAnswers, source);
  }

  /** A key goes down or up. */
  key(name: string, down: boolean): void {
    this.push({ name, down });
  }

  protected eventsOf({ name, down }: KeyEvent): InputEventWords[] {
    const code = keyCodes.get(name);
    return code === undefined ? [] : [[Kind.key, code, down ? 1 : 0]];
  }
}

const buttons = [BUTTON_LEFT, BUTTON_RIGHT, BUTTON_MIDDLE] as const;
const DIRECT = 1;
const axis = [0, 0, 0, 0, TABLET_MOST & 0xff, TABLET_MOST >> 8, 0, 0, ...new Array<number>(12).fill(0)];

function tabletAnswers(select: number, part: number): readonly number[] {
  switch (select) {
    case Select.name:
      return text('Terrarium tablet');
    case Select.ids:
      return ids(3);
    case Select.properties:
      return [DIRECT];
    case Select.axis:
      return part < 2 ? axis : [];
    case Select.events:
      return part === Kind.key
        ? bitmap(buttons)
        : part === Kind.absolute
          ? bitmap([0, 1])
          : part === Kind.relative
            ? bitmap([WHEEL])
            : [];
    default:
      return [];
  }
}

/** A tablet. */
export class VirtioTablet extends VirtioInput<Pointing> {
  #buttons = 0;

  constructor(name = 'virtio-tablet', source?: InputSource<Pointing>) {
    super(name, tabletAnswers, source);
  }

  point(pointing: Pointing): void {
    this.push(pointing);
  }

  protected eventsOf({ x, y, buttons: pressed, wheel = 0 }: Pointing): InputEventWords[] {
    const events: InputEventWords[] = [
      [Kind.absolute, 0, within(x)],
      [Kind.absolute, 1, within(y)],
    ];
    for (const [bit, code] of buttons.entries())
      if ((pressed ^ this.#buttons) & (1 << bit)) events.push([Kind.key, code, (pressed >> bit) & 1]);
    this.#buttons = pressed & 7;
    // In evdev down is negative.
    if (wheel !== 0) events.push([Kind.relative, WHEEL, -wheel]);
    return events;
  }

  protected override resetOwn(): void {
    super.resetOwn();
    this.#buttons = 0;
  }

  protected override saveOwn() {
    return { ...super.saveOwn(), buttons: this.#buttons };
  }

  protected override loadOwn(state: unknown): void {
    const { buttons: pressed, ...rest } = stateFields(this.name, state, this.saveOwn());
    super.loadOwn(rest);
    this.#buttons = registerField(this.name, 'buttons', pressed, 7);
  }
}

const within = (value: number) => Math.max(0, Math.min(TABLET_MOST, Math.round(value)));
