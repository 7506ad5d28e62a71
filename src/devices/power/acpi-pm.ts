/**
 * The power management of a PIIX4 (Intel 290562, 82371AB: function 3), as ACPI has it (ACPI 6.4 chapter 4): the PM1 event and control
 * blocks, the PM timer, a GPE block without events, and the SMI command port that switches ACPI mode on.
 *
 * @module
 */
import { type Alarm, Rate } from '../../time/index.js';
import type {
  Access,
  AccessSize,
  AccessWords,
  Claim,
  Device,
  DeviceHost,
  InputSource,
  InputStream,
  Line,
  PortRange,
} from '../contract/index.js';
import { ConfigSpace, type PciBus, type PciFunction, QEMU_SUBSYSTEM, QEMU_VENDOR } from '../pci/index.js';
import { registerField, stateFields } from '../state.js';
import { bits, words } from '../words.js';

/** The addresses of the blocks that firmware for QEMU's `pc` sets; GPE0 is at QEMU's address. */
export const PM_BASE = 0x600;
export const GPE_BASE = 0xafe0;
export const GPE_SIZE = 4;
export const SMI_COMMAND = 0xb2;
export const ACPI_ENABLE = 0xf1;
export const ACPI_DISABLE = 0xf0;
/** The interrupt request of ACPI's events (SCI). */
export const SCI_IRQ = 9;
/** SLP_TYP of S5, soft off; and of S0. */
export const SLEEP_OFF = 5;

const PM_SIZE = 64;
const PM_TIMER_HZ = 3_579_545;
const timer = new Rate(PM_TIMER_HZ);

/** Offsets in the PM block. */
const Pm = { status: 0, enable: 2, control: 4, timer: 8 } as const;
/** PM1 status and enable (ACPI 6.4 4.8.3.1). */
const Event = {
  timer: 0x0001,
  busMaster: 0x0010,
  global: 0x0020,
  powerButton: 0x0100,
  sleepButton: 0x0200,
  rtc: 0x0400,
  wake: 0x8000,
} as const;
const STATUS_BITS = 0x8731;
const ENABLE_BITS = 0x0721;
/** PM1 control (4.8.3.2.1). */
const Control = { sci: 1, sleep: 0x2000 } as const;
const CONTROL_BITS = 0x1c07;
/** In PCI configuration space: the PM block's base, and the bit that switches it on (290562 7.1.12, 7.1.15). */
const BASE_REGISTER = 0x40;
const ENABLE_REGISTER = 0x80;
const DEVICE_ACTIVITY = 0x58;
/** Each change of bit 23 sets the timer's status: one every 2^23 ticks. */
const HALF = 2 ** 23;

/** Presses of the power button from outside: one value each. */
export type ButtonSource = InputSource<number>;

export interface AcpiPmState {
  status: number;
  enable: number;
  control: number;
  smi: number;
  smiStatus: number;
  gpe: number;
  /** Changes of the timer's bit 23 that were processed. */
  halves: number;
}

/** See the module's comment. */
export class AcpiPm implements Device, PciFunction {
  readonly name = 'acpi-pm';
  readonly config = new ConfigSpace({
    vendor: 0x8086,
    device: 0x7113,
    class: 0x06_80_00,
    revision: 3,
    pin: 1,
    subsystemVendor: QEMU_VENDOR,
    subsystem: QEMU_SUBSYSTEM,
  });
  readonly ports: readonly PortRange[] = [
    { first: SMI_COMMAND, count: 2, width: 1 },
    { first: GPE_BASE, count: GPE_SIZE, width: 1 },
  ];
  readonly #range: PortRange;
  #host: DeviceHost | undefined;
  #claim: Claim | undefined;
  #line: Line | undefined;
  #alarm: Alarm | undefined;
  #press: (event: null) => void = () => this.#pressed();
  readonly #source: ButtonSource | undefined;
  #presses: InputStream<number> | undefined;
  #status = 0;
  #enable = 0;
  #control = 0;
  #smi = 0;
  #smiStatus = 0;
  #gpe = 0;
  #halves = 0;

  /**
   * @param isSetUp as after firmware: the block at its usual place, ACPI mode on @param button a source of presses of
   * the power button in addition to `pressPowerButton`
   */
  constructor(bus: PciBus, isSetUp: boolean, button?: ButtonSource) {
    this.#source = button;
    this.#range = { first: PM_BASE, count: PM_SIZE, hidden: true, priority: bus.priority() };
    const { config } = this;
    config.set(BASE_REGISTER, 4, isSetUp ? PM_BASE | 1 : 1);
    config.allow(BASE_REGISTER, 4, 0xffc0);
    config.set(ENABLE_REGISTER, 1, isSetUp ? 1 : 0);
    config.allow(ENABLE_REGISTER, 1, 1);
    // SMI by the APM port is on (DEVACTB, bit 25): so that firmware takes SMM as set up; there is no SMM.
    config.set(DEVICE_ACTIVITY, 4, 0x0200_0000);
    // The interrupt pin's line is wired to the SCI.
    config.set(0x3c, 1, SCI_IRQ);
    config.allow(0x3c, 1, 0);
    config.onWrite = () => this.#place();
    if (isSetUp) this.#control = Control.sci;
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    this.#claim = host.claim(this.#range);
    this.#line = host.line(SCI_IRQ, {
      canRise: () => this.#alarm?.moment !== Number.POSITIVE_INFINITY || this.#wantsButton,
    });
    this.#alarm = host.clock.alarm('timer overflow', () => this.#follow());
    this.#press = host.inputs.port('power button', () => this.#pressed());
    this.#presses = host.inputs.stream('presses', this.#source, () => {
      while (this.#presses?.read() !== undefined) this.#pressed();
    });
    this.#place();
  }

  /** Presses the power button. */
  pressPowerButton(): void {
    this.#press(null);
  }

  #pressed(): void {
    this.#status |= Event.powerButton;
    this.#drive();
  }

  get #wantsButton(): boolean {
    return (this.#enable & Event.powerButton) !== 0;
  }

  #place(): void {
    const base = this.config.read(BASE_REGISTER, 2) & 0xffc0;
    const enabled = this.config.bytes[ENABLE_REGISTER]! & 1;
    if (enabled && base > 0) this.#claim?.move(base);
    else this.#claim?.release();
  }

  get #ticks(): number {
    return timer.passed(this.#host?.clock.now() ?? 0);
  }

  /** The timer's changes of bit 23 until now become an event; the alarm is for the next one, where its interrupt is enabled. */
  #follow(): void {
    const halves = Math.floor(this.#ticks / HALF);
    if (halves !== this.#halves) this.#status |= Event.timer;
    this.#halves = halves;
    if (this.#enable & Event.timer) this.#alarm?.at(timer.moment((halves + 1) * HALF));
    else this.#alarm?.cancel();
    this.#drive();
  }

  #drive(): void {
    const asks = (this.#status & this.#enable & ENABLE_BITS) !== 0;
    this.#line?.set(asks && (this.#control & Control.sci) !== 0);
  }

  readPort(port: number, size: AccessSize): number {
    if (port === SMI_COMMAND) return this.#smi;
    if (port === SMI_COMMAND + 1) return this.#smiStatus;
    if (isGpe(port)) return (this.#gpe >>> (8 * (port - GPE_BASE))) & 0xff;
    this.#follow();
    const offset = port - (this.#claim?.address ?? 0);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.#byte(offset + i);
    return value;
  }

  #byte(offset: number): number {
    const register = [this.#status, this.#enable, this.#control][offset >> 1];
    if (offset < 6) return (register! >> (8 * (offset & 1))) & 0xff;
    // 24 bits, and no more: the tables say so.
    if (offset >= Pm.timer && offset < Pm.timer + 3)
      return Math.floor(this.#ticks / 256 ** (offset - Pm.timer)) & 0xff;
    return 0;
  }

  writePort(port: number, size: AccessSize, value: number): void {
    if (port === SMI_COMMAND) {
      this.#smi = value;
      // There is no SMM: the work of its handler is done here.
      if (value === ACPI_ENABLE) this.#control |= Control.sci;
      else if (value === ACPI_DISABLE) this.#control &= ~Control.sci;
      this.#drive();
      return;
    }
    if (port === SMI_COMMAND + 1) {
      this.#smiStatus = value;
      return;
    }
    if (isGpe(port)) {
      const at = port - GPE_BASE;
      // Status bits are cleared by a 1, and there are none; the other half has the enable bits.
      if (at >= GPE_SIZE / 2) this.#gpe = (this.#gpe & ~(0xff << (8 * at))) | (value << (8 * at));
      return;
    }
    const offset = port - (this.#claim?.address ?? 0);
    for (let i = 0; i < size; i++) this.#writeByte(offset + i, (value >>> (8 * i)) & 0xff);
    this.#follow();
  }

  #writeByte(offset: number, value: number): void {
    const shift = 8 * (offset & 1);
    const put = (before: number, mask: number) => ((before & ~(0xff << shift)) | (value << shift)) & mask;
    if (offset >> 1 === Pm.status >> 1) this.#status &= ~((value << shift) & STATUS_BITS);
    else if (offset >> 1 === Pm.enable >> 1) this.#enable = put(this.#enable, ENABLE_BITS);
    else if (offset >> 1 === Pm.control >> 1) {
      this.#control = put(this.#control, CONTROL_BITS);
      if (shift === 8 && value & (Control.sleep >> 8)) this.#sleep((value >> 2) & 7);
    }
  }

  /** SLP_EN: S5 is the end. Other states are not in the tables. */
  #sleep(type: number): void {
    if (type === SLEEP_OFF || type === 0) this.#host?.powerOff(`ACPI, PM1 control: SLP_TYP ${type}`);
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    if (address === SMI_COMMAND) return described.smi;
    if (address === SMI_COMMAND + 1) return described.smiStatus;
    if (isGpe(address)) return described.gpe;
    const offset = address - (this.#claim?.address ?? 0);
    if (offset < 2) return described.status;
    if (offset < 4) return described.enable;
    if (offset < 6) return described.control;
    return offset >= 8 && offset < 12 ? described.timer : described.none;
  }

  save(): AcpiPmState {
    return {
      status: this.#status,
      enable: this.#enable,
      control: this.#control,
      smi: this.#smi,
      smiStatus: this.#smiStatus,
      gpe: this.#gpe,
      halves: this.#halves,
    };
  }

  load(state: unknown): void {
    const fields = stateFields(this.name, state, this.save());
    const { halves } = fields;
    const register = (field: keyof AcpiPmState, mask: number) =>
      registerField(this.name, field, fields[field], mask);
    const status = register('status', STATUS_BITS);
    const enable = register('enable', ENABLE_BITS);
    const control = register('control', CONTROL_BITS);
    this.#smi = register('smi', 0xff);
    this.#smiStatus = register('smiStatus', 0xff);
    this.#gpe = (fields.gpe as number) | 0;
    this.#halves = Number.isSafeInteger(halves) ? (halves as number) : 0;
    [this.#status, this.#enable, this.#control] = [status, enable, control];
    this.#place();
    this.#drive();
  }
}

const event = bits(
  'timer',
  '',
  '',
  '',
  'bus master',
  'global lock',
  '',
  '',
  'power button',
  'sleep button',
  'clock',
);
const described = {
  smi: words('SMI command', (value) =>
    value === ACPI_ENABLE ? 'ACPI on' : value === ACPI_DISABLE ? 'ACPI off' : '',
  ),
  smiStatus: words('SMI status'),
  gpe: words('general-purpose events'),
  status: words('PM1 status', event),
  enable: words('PM1 enable', event),
  control: words(
    'PM1 control',
    (value) =>
      `${value & Control.sci ? 'SCI' : 'SMI'}${value & Control.sleep ? `, sleep ${(value >> 10) & 7}` : ''}`,
  ),
  timer: words('PM timer'),
  none: words('PM block, no register'),
} as const;

const isGpe = (port: number) => port >= GPE_BASE && port < GPE_BASE + GPE_SIZE;
