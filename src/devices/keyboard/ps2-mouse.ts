/**
 * A PS/2 mouse: the device at the other end of the second cable. Three buttons; a wheel and two more buttons for a
 * system that requests them. Source: IBM PS/2 Hardware Interface Technical Reference, mouse; Microsoft's IntelliMouse
 * for the wheel.
 *
 * @module
 */
import { booleanField, bytesField, DeviceStateError, registerField, stateFields } from '../state.js';

/** A movement of the mouse and its buttons. */
export interface MouseMove {
  /** Steps to the right since the last move. */
  dx: number;
  /** Steps down since the last move. */
  dy: number;
  /** Steps of the wheel, down; default 0. */
  wheel?: number;
  /** The buttons that are down now: 1 left, 2 right, 4 middle, 8 and 16 the others. */
  buttons: number;
}

const ACK = 0xfa;
const RESEND = 0xfe;
const SELF_TEST_PASSED = 0xaa;
/** Kinds of mouse: without a wheel, with one, with five buttons. */
const Kind = { plain: 0, wheel: 3, buttons: 4 } as const;
/** Rates set in a row that turn a mouse with a wheel into one. */
const WHEEL = [200, 100, 80];
const BUTTONS = [200, 200, 80];

/** The most waiting bytes: a few clicks. */
const BUFFER = 32;
/** The most waiting steps, in either direction. */
const MOST = 0x7fff;
/** 4 counts per millimetre, 100 reports per second, as after a reset. */
const DEFAULTS = { resolution: 2, rate: 100 } as const;

/** Bits of a report's first byte. */
const Report = { one: 8, xNegative: 0x10, yNegative: 0x20 } as const;
/** Bits of the status. The buttons are in the reverse order of a report's. */
const Status = { right: 1, middle: 2, left: 4, double: 0x10, enabled: 0x20, remote: 0x40 } as const;

export interface MouseState {
  queue: number[];
  enabled: boolean;
  remote: boolean;
  wrap: boolean;
  double: boolean;
  resolution: number;
  rate: number;
  kind: number;
  /** The command that waits for its argument; 0 where none does. */
  command: number;
  /** The last three rates that were set. */
  rates: number[];
  /** The last report or answer, for a system that asks for it again. */
  lastSent: number[];
  dx: number;
  dy: number;
  wheel: number;
  buttons: number;
  /** The buttons as last reported to the system. */
  reported: number;
}

/** The mouse. */
export class Ps2Mouse {
  /** Called when it starts or stops to report. */
  onReports: (reports: boolean) => void = () => {};
  #queue: number[] = [];
  #enabled = false;
  #remote = false;
  #wrap = false;
  #double = false;
  #resolution: number = DEFAULTS.resolution;
  #rate: number = DEFAULTS.rate;
  #kind: number = Kind.plain;
  #command = 0;
  #rates: number[] = [0, 0, 0];
  #lastSent: number[] = [];
  #dx = 0;
  #dy = 0;
  #wheel = 0;
  #buttons = 0;
  #reported = 0;

  /** True if it sends a report by itself when it is moved. */
  get reports(): boolean {
    return this.#enabled && !this.#remote && !this.#wrap;
  }

  get waiting(): boolean {
    return this.#queue.length > 0 || this.#hasNews;
  }

  /** The next byte to the system. Only where there is one. */
  send(): number {
    if (this.#queue.length === 0 && this.#hasNews) this.#report();
    return this.#queue.shift() ?? 0;
  }

  /** A mouse that does not report drops its movement, but keeps its buttons. */
  move({ dx, dy, wheel = 0, buttons }: MouseMove): void {
    // Each click gets its own report: the next one would hide it.
    if (this.reports && this.#hasNews && buttons !== this.#buttons && this.#queue.length < BUFFER)
      this.#report();
    this.#buttons = buttons & 31;
    if (!this.#enabled) return;
    const add = (sum: number, steps: number) => Math.max(-MOST, Math.min(MOST, sum + Math.trunc(steps)));
    this.#dx = add(this.#dx, dx);
    this.#dy = add(this.#dy, -dy);
    this.#wheel = add(this.#wheel, wheel);
  }

  /** A byte from the system: a command, or the argument of the one before. */
  receive(byte: number): void {
    const command = this.#command;
    this.#command = 0;
    if (this.#wrap && byte !== 0xec && byte !== 0xff) {
      this.#queue.push(byte);
      this.#queue = this.#queue.slice(-BUFFER);
      return;
    }
    if (byte === RESEND) {
      this.#queue = [...this.#lastSent];
      return;
    }
    // Bytes that were not read yet are dropped: the answer comes first.
    this.#queue = [];
    const answer = command === 0xe8 || command === 0xf3 ? this.#argument(command, byte) : this.#perform(byte);
    this.#lastSent = answer;
    this.#queue = [...answer];
  }

  #perform(byte: number): number[] {
    const reported = this.reports;
    const answer = this.#obey(byte);
    if (this.reports !== reported) this.onReports(this.reports);
    return answer;
  }

  #obey(byte: number): number[] {
    switch (byte) {
      case 0xe6:
      case 0xe7:
        this.#double = byte === 0xe7;
        return [ACK];
      case 0xe8: // set the resolution
      case 0xf3: // set the rate
        this.#command = byte;
        return [ACK];
      case 0xe9:
        return [ACK, this.#status, this.#resolution, this.#rate];
      case 0xea:
      case 0xf0:
        this.#remote = byte === 0xf0;
        this.#forget();
        return [ACK];
      case 0xeb:
        return [ACK, ...this.#take(false)];
      case 0xec:
      case 0xee:
        this.#wrap = byte === 0xee;
        return [ACK];
      case 0xf2:
        return [ACK, this.#kind];
      case 0xf4:
      case 0xf5:
        this.#enabled = byte === 0xf4;
        this.#forget();
        return [ACK];
      case 0xf6:
        this.#setDefaults();
        return [ACK];
      case 0xff:
        this.#setDefaults();
        this.#wrap = false;
        this.#kind = Kind.plain;
        this.#rates = [0, 0, 0];
        return [ACK, SELF_TEST_PASSED, Kind.plain];
      default:
        return [RESEND];
    }
  }

  #argument(command: number, byte: number): number[] {
    if (command === 0xe8) {
      if (byte > 3) return [RESEND];
      this.#resolution = byte;
      return [ACK];
    }
    if (byte === 0 || byte > 200) return [RESEND];
    this.#rate = byte;
    this.#rates = [...this.#rates.slice(1), byte];
    const are = (rates: readonly number[]) => rates.every((rate, i) => rate === this.#rates[i]);
    if (are(WHEEL) && this.#kind === Kind.plain) this.#kind = Kind.wheel;
    if (are(BUTTONS) && this.#kind === Kind.wheel) this.#kind = Kind.buttons;
    return [ACK];
  }

  #setDefaults(): void {
    this.#enabled = false;
    this.#remote = false;
    this.#double = false;
    this.#resolution = DEFAULTS.resolution;
    this.#rate = DEFAULTS.rate;
    this.#forget();
  }

  #forget(): void {
    this.#dx = 0;
    this.#dy = 0;
    this.#wheel = 0;
    this.#reported = this.#buttons;
  }

  get #status(): number {
    return (
      (this.#buttons & 1 ? Status.left : 0) |
      (this.#buttons & 2 ? Status.right : 0) |
      (this.#buttons & 4 ? Status.middle : 0) |
      (this.#double ? Status.double : 0) |
      (this.#enabled ? Status.enabled : 0) |
      (this.#remote ? Status.remote : 0)
    );
  }

  get #hasNews(): boolean {
    if (!this.reports) return false;
    const shown = this.#kind === Kind.buttons ? 31 : 7;
    const turned = this.#kind !== Kind.plain && this.#wheel !== 0;
    return this.#dx !== 0 || this.#dy !== 0 || turned || ((this.#buttons ^ this.#reported) & shown) !== 0;
  }

  #report(): void {
    this.#lastSent = this.#take(this.#double);
    this.#queue.push(...this.#lastSent);
  }

  /** The next report: as much of the movement as fits into one, the rest is for the following ones. */
  #take(double: boolean): number[] {
    const [x, y] = [part(this.#dx, 255), part(this.#dy, 255)];
    this.#dx -= x;
    this.#dy -= y;
    this.#reported = this.#buttons;
    const [sx, sy] = double ? [doubled(x), doubled(y)] : [x, y];
    const signs = (sx < 0 ? Report.xNegative : 0) | (sy < 0 ? Report.yNegative : 0);
    const bytes = [(this.#buttons & 7) | Report.one | signs, sx & 0xff, sy & 0xff];
    if (this.#kind === Kind.plain) this.#wheel = 0;
    else {
      const turn = part(this.#wheel, this.#kind === Kind.wheel ? 127 : 7);
      this.#wheel -= turn;
      bytes.push(this.#kind === Kind.wheel ? turn & 0xff : (turn & 15) | ((this.#buttons & 0x18) << 1));
    }
    return bytes;
  }

  save(): MouseState {
    return {
      queue: [...this.#queue],
      enabled: this.#enabled,
      remote: this.#remote,
      wrap: this.#wrap,
      double: this.#double,
      resolution: this.#resolution,
      rate: this.#rate,
      kind: this.#kind,
      command: this.#command,
      rates: [...this.#rates],
      lastSent: [...this.#lastSent],
      dx: this.#dx,
      dy: this.#dy,
      wheel: this.#wheel,
      buttons: this.#buttons,
      reported: this.#reported,
    };
  }

  load(device: string, state: unknown): void {
    const fields = stateFields(device, state, this.save());
    const register = (name: keyof MouseState, mask: number) =>
      registerField(device, `mouse.${name}`, fields[name], mask);
    const bytes = (name: keyof MouseState, most: number) =>
      bytesField(device, `mouse.${name}`, fields[name], most);
    const way = (name: 'dx' | 'dy' | 'wheel') => {
      const steps = fields[name];
      if (typeof steps === 'number' && Number.isInteger(steps) && Math.abs(steps) <= MOST) return steps;
      throw new DeviceStateError(device, `'mouse.${name}' is ${String(steps)}`);
    };
    const rates = bytes('rates', 3);
    if (rates.length !== 3) throw new DeviceStateError(device, `'mouse.rates' are not three`);
    const kind = register('kind', 7);
    if (!Object.values(Kind).includes(kind as 0))
      throw new DeviceStateError(device, `'mouse.kind' is ${kind}`);
    const [queue, lastSent] = [bytes('queue', BUFFER + 4), bytes('lastSent', 5)];
    const [dx, dy, wheel] = [way('dx'), way('dy'), way('wheel')];
    const [resolution, rate, command] = [
      register('resolution', 3),
      register('rate', 0xff),
      register('command', 0xff),
    ];
    const [buttons, reported] = [register('buttons', 31), register('reported', 31)];
    const flag = (name: keyof MouseState) => booleanField(device, `mouse.${name}`, fields[name]);
    const [enabled, remote, wrap, double] = [flag('enabled'), flag('remote'), flag('wrap'), flag('double')];
    this.#queue = queue;
    this.#lastSent = lastSent;
    this.#rates = rates;
    this.#kind = kind;
    this.#resolution = resolution;
    this.#rate = rate;
    this.#command = command;
    this.#dx = dx;
    this.#dy = dy;
    this.#wheel = wheel;
    this.#buttons = buttons;
    this.#reported = reported;
    this.#enabled = enabled;
    this.#remote = remote;
    this.#wrap = wrap;
    this.#double = double;
  }
}

/** The part of a movement that fits into one report. */
function part(steps: number, most: number): number {
  return Math.max(-most, Math.min(most, steps));
}

/** Scaling 2:1: short movements stay short, longer ones double. */
function doubled(steps: number): number {
  const way = Math.abs(steps);
  const scaled = [0, 1, 1, 3, 6, 9][way] ?? Math.min(255, way * 2);
  return steps < 0 ? -scaled : scaled;
}
