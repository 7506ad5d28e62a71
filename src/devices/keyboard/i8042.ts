/**
 * The keyboard controller of a PC: an 8042 at ports 0x60 and 0x64, with a keyboard at its first connector and a mouse at
 * the second. Source: IBM PS/2 Hardware Interface Technical Reference, keyboard and auxiliary device controller.
 *
 * @module
 */
import { ConfigError } from '../../errors.js';
import type { Alarm } from '../../time/index.js';
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  InputSource,
  InputStream,
  Line,
  PortRange,
} from '../contract/index.js';
import { booleanField, DeviceStateError, registerField, stateFields } from '../state.js';
import { type KeyEvent, keyNames } from './keys.js';
import { type KeyboardState, Ps2Keyboard } from './ps2-keyboard.js';
import { type MouseMove, type MouseState, Ps2Mouse } from './ps2-mouse.js';
import { AFTER_BIOS, Config, OutputPort, Status } from './registers.js';
import { toSet1 } from './translation.js';
import { TypingQueue } from './typing-queue.js';
import { keyboardWords } from './words.js';

const DATA = 0x60;
const COMMAND = 0x64;
const KEYBOARD_IRQ = 1;
const MOUSE_IRQ = 12;

/** Keys from outside: another thread, a terminal. */
export type KeySource = InputSource<KeyEvent>;
/** Mouse movements from outside. */
export type MouseSource = InputSource<MouseMove>;

export interface KeyboardControllerOptions {
  /** A source of keys in addition to `press` and `release`. */
  source?: KeySource;
  /** Called when the guest switches the lights: bits of `Led`. */
  onLeds?: (leds: number) => void;
  /** A source of mouse movements in addition to `moveMouse`. */
  mouse?: MouseSource | undefined;
  /** Called when the guest switches the mouse's reports on or off. */
  onMouse?: (reports: boolean) => void;
}

export interface KeyboardControllerState {
  keyboard: KeyboardState;
  ram: number[];
  /** The byte in the output buffer; null where there is none. */
  output: number | null;
  fromAux: boolean;
  timeout: boolean;
  /** The command whose data byte is still to come; 0 where none is. */
  command: number;
  lastWasCommand: boolean;
  a20: boolean;
  /** Set 2's F0 was received: the next code is one of a key that goes up. */
  breaking: boolean;
  /** Keys still to be typed, by the numbers of `keyNames`, + 256 for those that go up. */
  typing: number[];
  mouse: MouseState;
}

/** Keyboard and controller: see the module's comment. */
export class KeyboardController implements Device {
  readonly name = 'keyboard';
  readonly ports: readonly PortRange[] = [
    { first: DATA, count: 1, width: 1 },
    { first: COMMAND, count: 1, width: 1 },
  ];
  readonly #keyboard = new Ps2Keyboard();
  readonly #mouse = new Ps2Mouse();
  readonly #source: KeySource | undefined;
  readonly #mouseSource: MouseSource | undefined;
  #host: DeviceHost | undefined;
  #line: Line | undefined;
  #mouseLine: Line | undefined;
  #alarm: Alarm | undefined;
  #keys: InputStream<KeyEvent> | undefined;
  #moves: InputStream<MouseMove> | undefined;
  /** `press`, `release` and `type` reach the keyboard through this: the machine's gate, once there is a machine. */
  #pressKey = (event: KeyEvent): void => this.#pressed(event);
  #typeText = (text: string): void => this.#typed(text);
  #pushMove = (move: MouseMove): void => this.#moved(move);
  readonly #ram = new Uint8Array(32);
  #output = -1;
  #fromAux = false;
  #timeout = false;
  #command = 0;
  #lastWasCommand = false;
  #a20 = true;
  #breaking = false;
  readonly #typing = new TypingQueue();

  constructor({ source, onLeds, mouse, onMouse }: KeyboardControllerOptions = {}) {
    this.#source = source;
    this.#mouseSource = mouse;
    if (onLeds !== undefined) this.#keyboard.onLeds = onLeds;
    if (onMouse !== undefined) this.#mouse.onReports = onMouse;
    this.#ram[0] = AFTER_BIOS;
  }

  /** The lights as the guest set them: bits of `Led`. */
  get leds(): number {
    return this.#keyboard.leds;
  }

  /** The A20 line as the guest set it. Memory does not follow it: this machine's A20 is always on. */
  get a20(): boolean {
    return this.#a20;
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    // For a byte from before the interrupt controller was initialized, whose edge was lost there.
    this.#line = host.line(KEYBOARD_IRQ, {
      unmasked: () => this.#updateIrq(),
      canRise: () => this.#canInterrupt,
    });
    this.#mouseLine = host.line(MOUSE_IRQ, {
      unmasked: () => this.#updateIrq(),
      canRise: () => this.#moves?.open === true && this.#mouse.reports && this.#interrupts(true),
    });
    this.#alarm = host.clock.alarm('repeat', () => this.#repeat());
    this.#pressKey = host.inputs.port('strokes', (event: KeyEvent) => this.#pressed(event));
    this.#typeText = host.inputs.port('text', (text: string) => this.#typed(text));
    this.#pushMove = host.inputs.port('mouse', (move: MouseMove) => this.#moved(move));
    this.#updateIrq();
    this.#fill();
    // The source is read when the machine runs: input that is read now would be lost in a machine that loads another's
    // state.
    this.#keys = host.inputs.stream('keys', this.#source, () => this.#fill());
    this.#moves = host.inputs.stream('moves', this.#mouseSource, () => this.#fill());
  }

  /** A key goes down; it repeats by itself until `release`. @throws ConfigError for an unknown key. */
  press(name: string): void {
    checkKey(name);
    this.#pressKey({ name, down: true });
  }

  release(name: string): void {
    checkKey(name);
    this.#pressKey({ name, down: false });
  }

  /** Moves the mouse, and sets which buttons are down. A guest that has not enabled the mouse's reports does not see the movement. */
  moveMouse({ dx, dy, wheel = 0, buttons }: MouseMove): void {
    for (const [name, value] of Object.entries({ dx, dy, wheel, buttons }))
      if (!Number.isInteger(value)) throw new ConfigError(`the mouse's ${name} is ${value}, no whole number`);
    this.#pushMove({ dx, dy, wheel, buttons });
  }

  /**
   * Types a text on an American keyboard, key by key, as fast as the guest takes it. Characters that have no key there
   * are left out. @throws ConfigError where too many keys are waiting.
   */
  type(text: string): void {
    this.#typeText(text);
  }

  readPort(port: number): number {
    if (port === COMMAND) {
      return (
        Status.unlocked |
        (this.#output >= 0 ? Status.outputFull : 0) |
        (this.#ram[0]! & Config.selfTested ? Status.selfTested : 0) |
        (this.#lastWasCommand ? Status.command : 0) |
        (this.#output >= 0 && this.#fromAux ? Status.auxFull : 0) |
        (this.#timeout ? Status.timeout : 0)
      );
    }
    // An empty buffer of a real controller gives its last byte; this one is cleared.
    const byte = Math.max(this.#output, 0);
    this.#take();
    return byte;
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    const byte = value & 0xff;
    this.#lastWasCommand = port === COMMAND;
    if (port === COMMAND) this.#perform(byte);
    else if (this.#command === 0) {
      // A byte to the keyboard switches it on again.
      this.#ram[0]! &= ~Config.disabled;
      this.#keyboard.receive(byte);
    } else {
      const command = this.#command;
      this.#command = 0;
      this.#data(command, byte);
    }
    this.#fill();
  }

  describeAccess({ address, write }: Access): AccessWords {
    return keyboardWords(address === DATA, write, this.#command, this.#fromAux);
  }

  /** A key may be pressed at any time. */
  get #canInterrupt(): boolean {
    const mayType =
      this.#keys?.open === true ||
      this.#typing.length > 0 ||
      this.#keyboard.repeatAt !== Number.POSITIVE_INFINITY;
    return mayType && (this.#ram[0]! & Config.interrupt) !== 0;
  }

  #now(): number {
    return this.#host?.clock.now() ?? 0;
  }

  #pressed(event: KeyEvent): void {
    this.#move(event);
    this.#fill();
  }

  #moved(move: MouseMove): void {
    this.#mouse.move(move);
    this.#fill();
  }

  #move({ name, down }: KeyEvent): void {
    if (down) this.#keyboard.press(name, this.#now());
    else this.#keyboard.release(name);
  }

  #typed(text: string): void {
    this.#typing.add(text);
    this.#fill();
  }

  /** The key that is held repeats. */
  #repeat(): void {
    this.#keyboard.repeat(this.#now());
    this.#fill();
  }

  #perform(byte: number): void {
    this.#command = 0;
    if ((byte & 0xe0) === 0x20) this.#answer(this.#ram[byte & 31]!);
    else if ((byte & 0xe0) === 0x60 || (byte >= 0xd1 && byte <= 0xd4)) this.#command = byte;
    else if (byte >= 0xf0) this.#pulse(byte & 15);
    else this.#simple(byte);
  }

  #simple(byte: number): void {
    const first = this.#ram[0]!;
    switch (byte) {
      case 0xa7:
        this.#ram[0] = first | Config.auxDisabled;
        break;
      case 0xa8:
        this.#ram[0] = first & ~Config.auxDisabled;
        break;
      case 0xaa:
        this.#ram[0] = first | Config.selfTested;
        this.#answer(0x55);
        break;
      case 0xa9: // test the connectors: no error
      case 0xab:
        this.#answer(0);
        break;
      case 0xad:
        this.#ram[0] = first | Config.disabled;
        break;
      case 0xae:
        this.#ram[0] = first & ~Config.disabled;
        break;
      case 0xc0: // the input port: the keyboard is unlocked
        this.#answer(0x80);
        break;
      case 0xd0:
        this.#answer(
          OutputPort.notReset |
            (this.#a20 ? OutputPort.a20 : 0) |
            (this.#output >= 0 ? (this.#fromAux ? OutputPort.auxFull : OutputPort.outputFull) : 0),
        );
        break;
      case 0xe0: // the clock and data lines
        this.#answer(0);
        break;
      // Other commands do nothing, as on controllers without them.
    }
  }

  /** The data byte of a command. */
  #data(command: number, byte: number): void {
    if ((command & 0xe0) === 0x60) {
      this.#ram[command & 31] = (command & 31) === 0 ? byte & 0x7f : byte;
      this.#updateIrq();
      return;
    }
    switch (command) {
      case 0xd1:
        this.#a20 = (byte & OutputPort.a20) !== 0;
        if (!(byte & OutputPort.notReset)) this.#reset('the output port’s bit 0');
        break;
      case 0xd2:
        this.#answer(byte);
        break;
      case 0xd3:
        this.#answer(byte, true);
        break;
      default: // D4: a byte to the mouse switches its connector on again
        this.#ram[0]! &= ~Config.auxDisabled;
        this.#mouse.receive(byte);
    }
  }

  /** Commands F0 to FF pull the output port's low bits low for a moment; bit 0 is the processor's reset. */
  #pulse(keep: number): void {
    if (!(keep & OutputPort.notReset)) this.#reset('command FE');
  }

  #reset(how: string): void {
    this.#host?.reset(`the keyboard controller, ${how}`);
  }

  /** Puts a byte into the output buffer, in place of its contents. */
  #answer(byte: number, fromAux = false): void {
    this.#output = byte;
    this.#fromAux = fromAux;
    this.#timeout = false;
    this.#updateIrq();
  }

  /** The system has read the buffer. */
  #take(): void {
    this.#output = -1;
    this.#timeout = false;
    this.#updateIrq();
    this.#fill();
  }

  /** Updates the buffer with the keyboard's next byte, and the alarm for the next repetition. */
  #fill(): void {
    this.#moveBytes();
    this.#alarm?.at(this.#keyboard.repeatAt);
  }

  #moveBytes(): void {
    this.#moveKeys();
    this.#moveReports();
  }

  /** Moves the mouse's next byte into the buffer, if there is room and one waits. */
  #moveReports(): void {
    // The mouse tracks its movements even if reports are off.
    for (let move: MouseMove | undefined; !this.#mouse.waiting; this.#mouse.move(move)) {
      move = this.#moves?.read();
      if (move === undefined) return;
    }
    if (this.#output < 0 && !(this.#ram[0]! & Config.auxDisabled)) this.#answer(this.#mouse.send(), true);
  }

  /** The same for the keyboard. */
  #moveKeys(): void {
    while (this.#output < 0 && !(this.#ram[0]! & Config.disabled)) {
      if (!this.#keyboard.waiting) this.#nextKey();
      if (!this.#keyboard.waiting) return;
      const byte = this.#keyboard.send();
      if (!(this.#ram[0]! & Config.translate)) this.#answer(byte);
      else if (byte === 0xf0) this.#breaking = true;
      else {
        this.#answer(toSet1(byte) | (this.#breaking ? 0x80 : 0));
        this.#breaking = false;
      }
    }
  }

  /** One key at a time, so that typed text never overflows the keyboard's own short buffer. */
  #nextKey(): void {
    const event = this.#typing.next() ?? this.#keys?.read();
    if (event !== undefined && keyNames.includes(event.name)) this.#move(event);
  }

  /** Does the command byte enable interrupts for a byte of the mouse, or of the keyboard? */
  #interrupts(fromMouse: boolean): boolean {
    return (this.#ram[0]! & (fromMouse ? Config.auxInterrupt : Config.interrupt)) !== 0;
  }

  #updateIrq(): void {
    for (const [line, ofMouse] of [
      [this.#line, false],
      [this.#mouseLine, true],
    ] as const) {
      // An edge for each byte.
      if (this.#output >= 0 && this.#fromAux === ofMouse && this.#interrupts(ofMouse)) line?.pulse();
      else line?.set(false);
    }
  }

  save(): KeyboardControllerState {
    return {
      keyboard: this.#keyboard.save(this.#now()),
      ram: [...this.#ram],
      output: this.#output < 0 ? null : this.#output,
      fromAux: this.#fromAux,
      timeout: this.#timeout,
      command: this.#command,
      lastWasCommand: this.#lastWasCommand,
      a20: this.#a20,
      breaking: this.#breaking,
      typing: this.#typing.save(),
      mouse: this.#mouse.save(),
    };
  }

  load(state: unknown): void {
    // States of versions without a mouse have nothing connected.
    const fields = stateFields(this.name, state, this.save(), { mouse: new Ps2Mouse().save() });
    const { ram, output, typing } = fields;
    const register = (field: string, value: unknown, mask = 0xff) =>
      registerField(this.name, field, value, mask);
    if (!Array.isArray(ram) || ram.length !== this.#ram.length)
      throw new DeviceStateError(this.name, `'ram' is not a list of ${this.#ram.length} bytes`);
    const typed = TypingQueue.check(this.name, typing);
    const bytes = ram.map((byte, i) => register(`ram[${i}]`, byte));
    const shown = output === null ? -1 : register('output', output);
    this.#fromAux = booleanField(this.name, 'fromAux', fields.fromAux);
    this.#timeout = booleanField(this.name, 'timeout', fields.timeout);
    this.#command = register('command', fields.command);
    this.#lastWasCommand = booleanField(this.name, 'lastWasCommand', fields.lastWasCommand);
    this.#a20 = booleanField(this.name, 'a20', fields.a20);
    this.#breaking = booleanField(this.name, 'breaking', fields.breaking);
    this.#keyboard.load(this.name, fields.keyboard, this.#now());
    this.#mouse.load(this.name, fields.mouse);
    this.#ram.set(bytes);
    this.#output = shown;
    this.#typing.load(typed);
    this.#alarm?.at(this.#keyboard.repeatAt);
  }
}

function checkKey(name: string): void {
  if (keyNames.includes(name)) return;
  throw new ConfigError(
    `there is no key '${name}'`,
    'keys are named by their position, such as KeyA, Enter, ArrowUp',
  );
}
