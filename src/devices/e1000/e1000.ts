/**
 * A network card: Intel's 82540EM (8254x Family Software Developer's Manual, 317453), which Linux, GRUB, iPXE and teaching kernels drive.
 *
 * @module
 */
import {
  type Access,
  type AccessSize,
  type AccessWords,
  type Claim,
  DEFAULT_MAC,
  type Device,
  type DeviceHost,
  type InputStream,
  type MemoryRange,
  type NetworkPort,
  type PortRange,
} from '../contract/index.js';
import { Bar, ConfigSpace, type PciBus, type PciFunction, type PciSlot } from '../pci/index.js';
import { bytesField, DeviceStateError, registerField, stateFields } from '../state.js';
import { Eeprom } from './eeprom.js';
import { Transceiver } from './phy.js';
import { accepts, deliver, needed } from './receiver.js';
import {
  ADDRESS_VALID,
  CAUSES,
  Cause,
  Ctrl,
  MEMORY_SIZE,
  MTA,
  PORTS,
  plain,
  RA,
  Rctl,
  Register,
  STATISTICS,
  STATUS_UP,
  TCTL_ENABLE,
  VFTA,
} from './registers.js';
import { DESCRIPTOR, type Ring } from './ring.js';
import { Transmitter, type TransmitterState } from './transmitter.js';
import { e1000Words, FrameNotes } from './words.js';

const BUS_MASTER = 4;
/** The most frames that are received at once: as many as the largest ring has. */
const MOST_AT_ONCE = 65_536 / DESCRIPTOR;
const MOST_WAITING = 65_550;

export interface E1000State {
  registers: Record<string, number>;
  tables: { multicast: number[]; addresses: number[]; vlans: number[] };
  cause: number;
  mask: number;
  port: number;
  eeprom: ReturnType<Eeprom['save']>;
  phy: ReturnType<Transceiver['save']>;
  transmitter: TransmitterState;
  waiting: number[] | null;
  mac: number[];
}

/** See the module's comment. */
export class E1000 implements Device, PciFunction {
  readonly name: string;
  readonly memory: readonly MemoryRange[];
  readonly ports: readonly PortRange[];
  readonly config = new ConfigSpace({
    ...{ vendor: 0x8086, device: 0x100e, revision: 3, class: 0x02_00_00, pin: 1 },
    ...{ subsystemVendor: 0x1af4, subsystem: 0x1100 },
  });
  readonly #port: NetworkPort;
  #mac: Uint8Array;
  readonly #registers = new Map<number, number>();
  readonly #multicast = new Uint32Array(MTA.count);
  readonly #addresses = new Uint32Array(RA.count);
  readonly #vlans = new Uint32Array(VFTA.count);
  readonly #eeprom: Eeprom;
  readonly #phy = new Transceiver();
  readonly #transmitter: Transmitter;
  readonly #sent = new FrameNotes();
  readonly #received = new FrameNotes();
  #slot: PciSlot | undefined;
  #host: DeviceHost | undefined;
  #frames: InputStream<Uint8Array> | undefined;
  #memoryClaim: Claim | undefined;
  #portClaim: Claim | undefined;
  /** A received frame that needs more descriptors than there are. */
  #waiting: Uint8Array | undefined;
  #cause = 0;
  #mask = 0;
  /** The register that the I/O ports reach. */
  #ioAddress = 0;
  #pumps = false;

  /** @param bus the bus, on which it uses this slot */
  constructor(name: string, port: NetworkPort, bus: PciBus, slot: number) {
    this.name = name;
    this.#port = port;
    this.#mac = Uint8Array.from(port.mac ?? DEFAULT_MAC).subarray(0, 6);
    this.#eeprom = new Eeprom(this.#mac);
    this.#transmitter = new Transmitter((frame) => this.#send(frame), port.takesLarge === true);
    this.memory = [{ address: 0, size: MEMORY_SIZE, width: 4, hidden: true, priority: bus.priority() }];
    this.ports = [{ first: 0, count: PORTS, width: 4, hidden: true, priority: bus.priority() }];
    this.config.addBar(new Bar(0, 'memory', MEMORY_SIZE, () => this.#memoryClaim));
    this.config.addBar(new Bar(1, 'io', PORTS, () => this.#portClaim));
    this.#slot = bus.add(slot, 0, this);
    this.#reset();
  }

  canRise(): boolean {
    return this.#frames?.open === true && this.#canReceive;
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    this.#memoryClaim = host.claim(this.memory[0]!);
    this.#portClaim = host.claim(this.ports[0]!);
    this.#frames = host.inputs.stream('frames', this.#port.frames, () => this.#receive());
    // An address may be the host's choice.
    this.#setAddress(host.inputs.ask('address', () => [...this.#mac]));
    this.config.follow();
  }

  #setAddress(mac: readonly number[]): void {
    this.#mac = Uint8Array.from(mac);
    this.#eeprom.address(this.#mac);
    this.#showAddress();
  }

  dispose(): void {
    this.#port.dispose?.();
  }

  readMemory(address: number, size: AccessSize): number {
    const offset = address - (this.#memoryClaim?.address ?? 0);
    return partOf(this.#read(offset & ~3), offset, size);
  }

  writeMemory(address: number, size: AccessSize, value: number): void {
    const offset = address - (this.#memoryClaim?.address ?? 0);
    // Registers are written whole (8254x 13.2).
    if (size === 4 && (offset & 3) === 0) this.#write(offset, value >>> 0);
  }

  readPort(port: number, size: AccessSize): number {
    const offset = port - (this.#portClaim?.address ?? 0);
    if ((offset & ~3) === 0) return partOf(this.#ioAddress, offset, size);
    if ((offset & ~3) !== 4 || this.#ioAddress >= MEMORY_SIZE) return 0;
    return partOf(this.#read(this.#ioAddress & ~3), offset, size);
  }

  writePort(port: number, size: AccessSize, value: number): void {
    const offset = port - (this.#portClaim?.address ?? 0);
    if (size !== 4) return;
    if (offset === 0) this.#ioAddress = value >>> 0;
    else if (offset === 4 && this.#ioAddress < MEMORY_SIZE) this.#write(this.#ioAddress & ~3, value >>> 0);
  }

  #get(register: number): number {
    return this.#registers.get(register) ?? 0;
  }

  #read(offset: number): number {
    switch (offset) {
      case Register.status:
        return STATUS_UP;
      case Register.eecd:
        return this.#eeprom.lines;
      case Register.eerd:
        return this.#eeprom.answer;
      case Register.mdic:
        return this.#phy.mdic;
      case Register.icr: {
        const cause = this.#cause;
        this.#cause = 0;
        this.#drive();
        return cause;
      }
      case Register.ims:
        return this.#mask;
    }
    const table = this.#tableAt(offset);
    if (table !== undefined) return table.words[table.index]!;
    const value = this.#get(offset);
    // Counters begin again when they are read.
    if (offset >= STATISTICS.first && offset < STATISTICS.last && value !== 0) this.#registers.set(offset, 0);
    return value;
  }

  #write(offset: number, value: number): void {
    switch (offset) {
      case Register.eecd:
        this.#eeprom.lines = value;
        return;
      case Register.eerd:
        this.#eeprom.answer = value;
        return;
      case Register.mdic:
        this.#phy.mdic = value;
        this.#raise(Cause.mdio);
        return;
      case Register.icr:
        this.#cause &= ~value;
        this.#drive();
        return;
      case Register.ics:
        this.#raise(value & CAUSES);
        return;
      case Register.ims:
        this.#mask |= value & CAUSES;
        this.#drive();
        return;
      case Register.imc:
        this.#mask &= ~value;
        this.#drive();
        return;
    }
    const table = this.#tableAt(offset);
    if (table !== undefined) {
      table.words[table.index] = value;
      return;
    }
    const bits = plain.get(offset);
    if (bits !== undefined && bits !== 0) this.#registers.set(offset, (value & bits) >>> 0);
    if (offset === Register.ctrl) this.#control(value);
    else if (offset === Register.tdt || offset === Register.tctl) this.#transmit();
    else if (offset === Register.rdt || offset === Register.rctl) this.#receive();
  }

  #tableAt(offset: number): { words: Uint32Array; index: number } | undefined {
    for (const [{ first, count }, words] of [
      [MTA, this.#multicast],
      [RA, this.#addresses],
      [VFTA, this.#vlans],
    ] as const)
      if (offset >= first && offset < first + 4 * count) return { words, index: (offset - first) >> 2 };
    return undefined;
  }

  #control(value: number): void {
    if (value & Ctrl.reset) this.#reset();
    if (value >= Ctrl.phyReset) this.#phy.reset();
  }

  /** The registers as after power-on, with the address from the EEPROM. */
  #reset(): void {
    this.#registers.clear();
    this.#registers.set(Register.ctrl, 0x0014_0241);
    this.#registers.set(Register.pba, 0x0010_0030);
    this.#registers.set(Register.ledctl, 0x0706_8302);
    this.#multicast.fill(0);
    this.#addresses.fill(0);
    this.#vlans.fill(0);
    this.#showAddress();
    this.#transmitter.reset();
    this.#waiting = undefined;
    this.#cause = 0;
    this.#mask = 0;
    this.#drive();
  }

  #showAddress(): void {
    const mac = this.#mac;
    this.#addresses[0] = mac[0]! | (mac[1]! << 8) | (mac[2]! << 16) | (mac[3]! << 24);
    this.#addresses[1] = ADDRESS_VALID + (mac[4]! | (mac[5]! << 8));
  }

  #raise(cause: number): void {
    this.#cause |= cause;
    this.#drive();
  }

  #drive(): void {
    this.#slot?.setInterrupt((this.#cause & this.#mask) !== 0);
  }

  #ring(low: number, high: number, length: number): Ring {
    const base = this.#get(low) + this.#get(high) * 2 ** 32;
    return { base, size: Math.min(this.#get(length), 65_536) / DESCRIPTOR };
  }

  get #isMaster(): boolean {
    return (this.config.command & BUS_MASTER) !== 0;
  }

  #transmit(): void {
    const memory = this.#host?.memory;
    if (memory === undefined || !(this.#get(Register.tctl) & TCTL_ENABLE) || !this.#isMaster) return;
    const ring = this.#ring(Register.tdbal, Register.tdbah, Register.tdlen);
    const tail = this.#get(Register.tdt);
    let head = this.#get(Register.tdh);
    if (head >= ring.size || tail >= ring.size || head === tail) return;
    let cause = Cause.queueEmpty as number;
    for (; head !== tail; head = (head + 1) % ring.size)
      if (this.#transmitter.take(memory, ring, head)) cause |= Cause.transmitted;
    this.#registers.set(Register.tdh, head);
    this.#raise(cause);
    // An answer may have arrived already.
    this.#receive();
  }

  #send(frame: Uint8Array): void {
    if (frame.length === 0) return;
    this.#sent.note(frame);
    this.#count(Register.gptc, Register.tpt);
    this.#port.transmit(frame);
  }

  #count(...counters: readonly number[]): void {
    for (const counter of counters) this.#registers.set(counter, (this.#get(counter) + 1) >>> 0);
  }

  get #canReceive(): boolean {
    return (this.#get(Register.rctl) & Rctl.enable) !== 0 && this.#isMaster;
  }

  /** Receives waiting frames, as far as there are descriptors. */
  #receive(): void {
    const memory = this.#host?.memory;
    const frames = this.#frames;
    if (memory === undefined || frames === undefined || !this.#canReceive || this.#pumps) return;
    const ring = this.#ring(Register.rdbal, Register.rdbah, Register.rdlen);
    const [rctl, tail, before] = [this.#get(Register.rctl), this.#get(Register.rdt), this.#get(Register.rdh)];
    if (before >= ring.size || tail >= ring.size) return;
    this.#pumps = true;
    let head = before;
    for (let left = MOST_AT_ONCE; left > 0 && head !== tail; left--) {
      this.#waiting ??= frames.read();
      const frame = this.#waiting;
      if (frame === undefined) break;
      const isTaken = accepts(frame, rctl, this.#addresses, this.#multicast);
      const free = (tail - head + ring.size) % ring.size;
      // A frame that is too large for the whole ring is lost.
      const fits = needed(frame, rctl) <= ring.size - 1;
      if (isTaken && fits && needed(frame, rctl) > free) break;
      this.#waiting = undefined;
      if (!isTaken || !fits) continue;
      this.#received.note(frame);
      this.#count(Register.gprc, Register.tpr);
      head = deliver(memory, ring, head, frame, rctl);
    }
    this.#pumps = false;
    if (head === before) return;
    this.#registers.set(Register.rdh, head);
    this.#raise(Cause.received);
  }

  describeAccess({ space, address, write }: Access): AccessWords {
    const cause = () => this.#cause;
    if (space === 'memory') {
      const offset = (address - (this.#memoryClaim?.address ?? 0)) & ~3;
      return e1000Words(offset, write, this.#sent, this.#received, cause);
    }
    const isAddress = ((address - (this.#portClaim?.address ?? 0)) & ~3) === 0;
    if (isAddress || this.#ioAddress >= MEMORY_SIZE) return ioAddressWords;
    return e1000Words(this.#ioAddress & ~3, write, this.#sent, this.#received, cause);
  }

  save(): E1000State {
    const registers = [...this.#registers].map(([offset, value]) => [String(offset), value] as const);
    return {
      registers: Object.fromEntries(registers),
      tables: {
        multicast: [...new Uint8Array(this.#multicast.buffer)],
        addresses: [...new Uint8Array(this.#addresses.buffer)],
        vlans: [...new Uint8Array(this.#vlans.buffer)],
      },
      cause: this.#cause,
      mask: this.#mask,
      port: this.#ioAddress,
      eeprom: this.#eeprom.save(),
      phy: this.#phy.save(),
      transmitter: this.#transmitter.save(),
      waiting: this.#waiting === undefined ? null : [...this.#waiting],
      mac: [...this.#mac],
    };
  }

  load(state: unknown): void {
    const { name } = this;
    const fields = stateFields(name, state, this.save());
    if (typeof fields.registers !== 'object' || fields.registers === null)
      throw new DeviceStateError(name, "'registers' is no object");
    const registers = Object.entries(fields.registers).map(([offset, value]) => {
      const bits = plain.get(Number(offset));
      if (bits === undefined) throw new DeviceStateError(name, `it has no register ${offset}`);
      return [Number(offset), registerValue(name, offset, value)] as const;
    });
    this.#registers.clear();
    for (const [offset, value] of registers) this.#registers.set(offset, value);
    const tables = stateFields(name, fields.tables, this.save().tables);
    for (const [table, into] of [
      ['multicast', this.#multicast],
      ['addresses', this.#addresses],
      ['vlans', this.#vlans],
    ] as const)
      new Uint8Array(into.buffer).set(bytesField(name, `tables.${table}`, tables[table], into.byteLength));
    this.#cause = registerField(name, 'cause', fields.cause, CAUSES);
    this.#mask = registerField(name, 'mask', fields.mask, CAUSES);
    this.#ioAddress = registerValue(name, 'port', fields.port);
    this.#eeprom.load(name, fields.eeprom);
    this.#phy.load(name, stateFields(name, fields.phy, this.#phy.save()));
    this.#transmitter.load(name, fields.transmitter);
    const { waiting } = fields;
    const mac = bytesField(name, 'mac', fields.mac, 6);
    if (mac.length !== 6) throw new DeviceStateError(name, "'mac' is not six bytes");
    this.#mac = Uint8Array.from(mac);
    this.#eeprom.address(this.#mac);
    this.#waiting =
      waiting === null ? undefined : Uint8Array.from(bytesField(name, 'waiting', waiting, MOST_WAITING));
  }
}

/** The part of a register that an access of some bytes reads. */
const partOf = (value: number, offset: number, size: AccessSize): number =>
  (value >>> (8 * (offset & 3))) % 2 ** (8 * size);

const ioAddressWords: AccessWords = { register: 'register that the ports reach' };

function registerValue(device: string, field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw new DeviceStateError(device, `'${field}' is ${String(value)}`);
}
