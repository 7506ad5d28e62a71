import type { Line } from '../contract/index.js';
import { registerField, stateFields } from '../state.js';
import type { AtaBus, AtaDevice, AtaDeviceState } from './device.js';
import { Control, DeviceBits, Register, Status } from './registers.js';

export interface ChannelState {
  control: number;
  selected: number;
  devices: (AtaDeviceState | null)[];
}

/** Fewer reads of a status are no polling. */
const VAIN = 64;

/** One cable with up to two devices: writes go to both, the selected one answers. */
export class Channel {
  readonly devices: readonly (AtaDevice | undefined)[];
  #control = 0;
  #selected = 0;
  /** How often in a row the status of a drive was read that is not there. */
  #vain = 0;
  #line: Line | undefined;
  readonly #dma: () => void;
  readonly #asked: () => void;

  /**
   * @param make makes the devices, the first and the second
   * @param calls called when a device needs a DMA transfer, and when one requests an interrupt
   */
  constructor(
    make: readonly (((bus: AtaBus) => AtaDevice) | undefined)[],
    calls: { dma: () => void; asked: () => void },
  ) {
    const { dma, asked } = calls;
    this.#dma = dma;
    this.#asked = asked;
    this.devices = [0, 1].map((i) =>
      make[i]?.({ interrupt: () => this.#interrupt(), wantsDma: () => this.#dma() }),
    );
  }

  use(line: Line): void {
    this.#line = line;
  }

  get selected(): AtaDevice | undefined {
    return this.devices[this.#selected];
  }

  #interrupt(): void {
    this.#asked();
    this.#drive();
  }

  #drive(): void {
    const asks = this.selected?.asking === true && !(this.#control & Control.interruptsOff);
    this.#line?.set(asks);
  }

  readData(size: number): number {
    const device = this.devices[this.#selected];
    return device === undefined ? 2 ** (8 * size) - 1 : device.readData(size);
  }

  writeData(size: number, value: number): void {
    this.selected?.writeData(size, value);
  }

  /** Registers 1 to 7. */
  read(register: number): number {
    const device = this.selected;
    // A cable without devices is pulled low by its DD7; so is an absent device next to a present one.
    if (device === undefined) {
      if (register === Register.status) this.#vain++;
      return register === Register.device ? this.#selected << 4 : 0;
    }
    this.#vain = 0;
    const value = device.read(register, (this.#control & Control.highOrder) !== 0);
    if (register === Register.status) {
      device.asking = false;
      this.#drive();
    }
    return value;
  }

  /** The alternate status: without an effect on the interrupt. */
  get status(): number {
    this.#vain = this.selected === undefined ? this.#vain + 1 : 0;
    return this.selected?.read(Register.status, false) ?? 0;
  }

  /** The drive, 0 or 1, whose status is polled though it is not there. */
  get missing(): number | undefined {
    return this.#vain >= VAIN ? this.#selected : undefined;
  }

  write(register: number, value: number): void {
    // Writing any register of the command block lets the low-order bytes be read again (ATA/ATAPI-6 7.9).
    this.#control &= ~Control.highOrder;
    if (register === Register.status) {
      this.#start(value);
      return;
    }
    if (register === Register.device) this.#selected = value & DeviceBits.second ? 1 : 0;
    for (const device of this.devices) device?.write(register, value);
    if (register === Register.device) this.#drive();
  }

  #start(command: number): void {
    // EXECUTE DEVICE DIAGNOSTIC is for both.
    const all = command === 0x90 ? this.devices : [this.selected];
    for (const device of all) {
      if (device === undefined || (device.read(Register.status, false) & Status.busy) !== 0) continue;
      device.start(command);
    }
    this.#drive();
  }

  set control(value: number) {
    const resets = (this.#control & ~value & Control.reset) !== 0;
    this.#control = value & (Control.interruptsOff | Control.reset | Control.highOrder);
    if (resets) this.reset();
    this.#drive();
  }

  reset(): void {
    this.#selected = 0;
    for (const device of this.devices) device?.reset();
    this.#drive();
  }

  save(): ChannelState {
    return {
      control: this.#control,
      selected: this.#selected,
      devices: this.devices.map((device) => device?.save() ?? null),
    };
  }

  load(name: string, state: unknown): void {
    const { control, selected, devices } = stateFields(name, state, this.save());
    const checked = registerField(
      name,
      'control',
      control,
      Control.interruptsOff | Control.reset | Control.highOrder,
    );
    const chosen = registerField(name, 'selected', selected, 1);
    const list = Array.isArray(devices) ? devices : [];
    for (const [i, device] of this.devices.entries()) device?.load(name, list[i]);
    this.#control = checked;
    this.#selected = chosen;
    this.#drive();
  }
}
