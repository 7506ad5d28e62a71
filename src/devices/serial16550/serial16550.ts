/**
 * A 16550A UART as a PC has it. Section and table numbers are those of National Semiconductor's PC16550D data sheet.
 *
 * This line takes no time: a transmitted byte has left at once, and the source's bytes arrive as fast as the guest
 * reads them. So the transmitter is always empty, a single received character has always timed out, and the line never
 * overruns; only the loopback can.
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  ByteSink,
  ByteSource,
  Device,
  DeviceHost,
  InputStream,
  Line,
  PortRange,
} from '../contract/index.js';
import { booleanField, bytesField, registerField, stateFields } from '../state.js';
import { SerialReceiver } from './receiver.js';
import {
  DATA,
  FCR_DMA_MODE,
  FCR_ENABLE,
  FCR_TRIGGER,
  FIFO_SIZE,
  IER,
  IER_LINE_STATUS,
  IER_MODEM_STATUS,
  IER_RECEIVED,
  IER_TRANSMITTER_EMPTY,
  IIR_FCR,
  IIR_FIFOS_ENABLED,
  IIR_LINE_STATUS,
  IIR_MODEM_STATUS,
  IIR_NONE,
  IIR_RECEIVED,
  IIR_TIMEOUT,
  IIR_TRANSMITTER_EMPTY,
  LCR,
  LCR_DLAB,
  LSR,
  LSR_DATA_READY,
  LSR_OVERRUN,
  LSR_TRANSMITTER_EMPTY,
  MCR,
  MCR_DTR,
  MCR_LOOPBACK,
  MCR_OUT1,
  MCR_OUT2,
  MCR_RTS,
  MSR,
  MSR_CONNECTED,
  MSR_CTS,
  MSR_DCD,
  MSR_DELTA,
  MSR_DSR,
  MSR_RI,
  MSR_TRAILING_EDGE_RI,
  SCR,
} from './registers.js';
import { serialWords } from './words.js';

/** 115,200 / 12 = 9600 baud, as PC firmware sets it; the data sheet has no reset value for the divisor. */
const DIVISOR_AT_RESET = 12;

export interface SerialOptions {
  /** Default `serial`. */
  name?: string;
  /** First of eight ports; default 0x3F8, a PC's COM1. */
  base?: number;
  /** Interrupt line; default 4, COM1's. */
  irq?: number;
  /** Default: nothing is connected. */
  output?: ByteSink;
  /** Default: no input. */
  input?: ByteSource;
  /**
   * Let the engine coalesce writes to the first port. They are delivered in order and before any other exit, and every
   * other register's access is an exit, so the device sees all writes in the order of the guest, whether they go to the
   * transmitter or, with DLAB, to the divisor. Only the transmitter interrupt is late, by some milliseconds: leave this
   * off for guests that wait for it. Default false.
   */
  coalesce?: boolean;
}

/** A serial port's state as `save` gives it: its registers under the data sheet's names. */
export interface SerialState {
  dll: number;
  dlm: number;
  ier: number;
  fcr: number;
  lcr: number;
  mcr: number;
  /** The error bits of the LSR; the rest follows from the FIFO. */
  lsr: number;
  msr: number;
  scr: number;
  /** The value of RBR until the next character: the last one read. */
  rbr: number;
  /** The receiver's characters, the oldest first. */
  received: number[];
  /** The transmitter-empty interrupt is pending. */
  transmitterInterrupt: boolean;
}

/** A 16550A UART: see the module's comment and `docs/devices.md`. */
export class Serial16550 implements Device {
  readonly name: string;
  readonly ports: readonly PortRange[];
  readonly #base: number;
  readonly #irq: number;
  readonly #output: ByteSink | undefined;
  /** Bytes that nobody got. */
  #lost = 0;
  readonly #source: ByteSource | undefined;
  #input: InputStream<number> | undefined;
  readonly #byte = new Uint8Array(1);
  readonly #receiver = new SerialReceiver();
  #line: Line | undefined;

  // Reset values: table I. The divisor and SCR have none there.
  #divisor = DIVISOR_AT_RESET;
  #ier = 0;
  #lcr = 0;
  #mcr = 0;
  #msr = MSR_CONNECTED;
  #scr = 0;
  #transmitterInterrupt = false;

  constructor(options: SerialOptions) {
    const { name = 'serial', base = 0x3f8, irq = 4, output, input, coalesce = false } = options;
    this.name = name;
    this.ports = [
      { first: base, count: 1, width: 1, coalesce },
      { first: base + 1, count: 7, width: 1 },
    ];
    this.#base = base;
    this.#irq = irq;
    this.#output = output;
    this.#source = input;
  }

  attach(host: DeviceHost): void {
    const line = host.line(this.#irq, {
      // For a request from before the interrupt controller was initialized, whose edge was lost there.
      unmasked: () => {
        if (line.level) line.pulse();
      },
      // Input may arrive by itself, and interrupts if the guest has enabled that; everything else is caused by the
      // guest itself.
      canRise: () => (this.#ier & IER_RECEIVED) !== 0 && this.#gateOpen && this.#input?.open === true,
    });
    this.#line = line;
    this.#input = host.inputs.stream('bytes', this.#source, () => this.#arrived());
    this.#updateIrq();
  }

  readPort(port: number): number {
    switch (port - this.#base) {
      case DATA:
        return this.#lcr & LCR_DLAB ? this.#divisor & 0xff : this.#readReceiver();
      case IER:
        return this.#lcr & LCR_DLAB ? this.#divisor >> 8 : this.#ier;
      case IIR_FCR:
        return this.#readInterruptId();
      case LCR:
        return this.#lcr;
      case MCR:
        return this.#mcr;
      case LSR:
        return this.#readLineStatus();
      case MSR:
        return this.#readModemStatus();
      case SCR:
        return this.#scr;
      default:
        return 0xff;
    }
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    const byte = value & 0xff;
    switch (port - this.#base) {
      case DATA:
        if (this.#lcr & LCR_DLAB) this.#divisor = (this.#divisor & 0xff00) | byte;
        else this.#transmit(byte);
        break;
      case IER:
        if (this.#lcr & LCR_DLAB) this.#divisor = (this.#divisor & 0xff) | (byte << 8);
        else this.#writeInterruptEnable(byte & 0x0f);
        break;
      case IIR_FCR:
        this.#receiver.writeControl(byte);
        if (this.#ier & IER_RECEIVED) this.#receive();
        this.#updateIrq();
        break;
      case LCR:
        this.#lcr = byte;
        break;
      case MCR:
        this.#mcr = byte & 0x1f;
        this.#updateModemLines();
        break;
      case SCR:
        this.#scr = byte;
        break;
      // LSR is "intended for read operations only" (8.4); MSR's lines are driven by the other end.
    }
  }

  remark(): string | undefined {
    if (this.#lost === 0) return undefined;
    const bytes = this.#lost === 1 ? '1 byte was' : `${this.#lost} bytes were`;
    return `${bytes} sent to ${this.name}, at port 0x${this.#base.toString(16)}, where nothing is connected: the console is the first serial port, at 0x3f8`;
  }

  describeAccess({ address, write }: Access): AccessWords | undefined {
    return serialWords(address - this.#base, write, (this.#lcr & LCR_DLAB) !== 0);
  }

  save(): SerialState {
    return {
      dll: this.#divisor & 0xff,
      dlm: this.#divisor >> 8,
      ier: this.#ier,
      fcr: this.#receiver.control,
      lcr: this.#lcr,
      mcr: this.#mcr,
      lsr: this.#receiver.overrun ? LSR_OVERRUN : 0,
      msr: this.#msr,
      scr: this.#scr,
      rbr: this.#receiver.last,
      received: this.#receiver.characters,
      transmitterInterrupt: this.#transmitterInterrupt,
    };
  }

  load(state: unknown): void {
    const { name } = this;
    const fields = stateFields(name, state, this.save());
    const register = (field: keyof SerialState, mask = 0xff) =>
      registerField(name, field, fields[field], mask);
    // All is checked before anything changes, so that an invalid state leaves the device unchanged.
    const fcr = register('fcr', FCR_ENABLE | FCR_DMA_MODE | FCR_TRIGGER);
    const received = bytesField(name, 'received', fields.received, fcr & FCR_ENABLE ? FIFO_SIZE : 1);
    const interrupt = booleanField(name, 'transmitterInterrupt', fields.transmitterInterrupt);
    const [divisor, ier] = [register('dll') | (register('dlm') << 8), register('ier', 0x0f)];
    const [lcr, mcr, lsr] = [register('lcr'), register('mcr', 0x1f), register('lsr', LSR_OVERRUN)];
    const [msr, scr, rbr] = [register('msr'), register('scr'), register('rbr')];
    this.#divisor = divisor;
    this.#ier = ier;
    this.#lcr = lcr;
    this.#mcr = mcr;
    this.#msr = msr;
    this.#scr = scr;
    this.#transmitterInterrupt = interrupt;
    this.#receiver.restore(fcr, rbr, received, lsr !== 0);
    this.#updateIrq();
  }

  /**
   * Input has arrived: receives it, so that the interrupt line rises. Does nothing while the guest has not enabled that
   * interrupt.
   */
  #arrived(): void {
    // A guest that has not enabled input yet may still reset the FIFO while it starts: leave its input in the source.
    if (!(this.#ier & IER_RECEIVED)) return;
    this.#receive();
    this.#updateIrq();
  }

  #readReceiver(): number {
    const receiver = this.#receiver;
    if (receiver.empty) return receiver.last;
    const byte = receiver.take();
    // Below the trigger level, reading a character clears the interrupt, until the next one has arrived or the rest has
    // timed out (8.11). Both are immediate here, but an edge-triggered controller must see the line fall and rise.
    if (!receiver.atTrigger) this.#updateIrq(this.#ier & ~IER_RECEIVED);
    if (this.#ier & IER_RECEIVED) this.#receive();
    this.#updateIrq();
    return byte;
  }

  #transmit(byte: number): void {
    if (this.#mcr & MCR_LOOPBACK) this.#receiver.receive(byte);
    else {
      this.#byte[0] = byte;
      if (this.#output === undefined) this.#lost++;
      else this.#output(this.#byte);
    }
    // The write clears the interrupt, and the transmitter, which is empty again, raises it: a new edge on the line.
    this.#updateIrq(this.#ier & ~IER_TRANSMITTER_EMPTY);
    this.#transmitterInterrupt = true;
    this.#updateIrq();
  }

  #writeInterruptEnable(value: number): void {
    const before = this.#ier;
    this.#ier = value;
    // Enabling it while the transmitter is empty raises it at once; an earlier one does not count (8.7).
    if ((before ^ value) & IER_TRANSMITTER_EMPTY) {
      this.#transmitterInterrupt = (value & IER_TRANSMITTER_EMPTY) !== 0;
    }
    if (value & IER_RECEIVED) this.#receive();
    this.#updateIrq();
  }

  /** The source that requests an interrupt now, by priority (table IV). */
  #interruptId(ier: number): number {
    const receiver = this.#receiver;
    if (ier & IER_LINE_STATUS && receiver.overrun) return IIR_LINE_STATUS;
    if (ier & IER_RECEIVED && !receiver.empty) return receiver.atTrigger ? IIR_RECEIVED : IIR_TIMEOUT;
    if (ier & IER_TRANSMITTER_EMPTY && this.#transmitterInterrupt) return IIR_TRANSMITTER_EMPTY;
    if (ier & IER_MODEM_STATUS && this.#msr & MSR_DELTA) return IIR_MODEM_STATUS;
    return IIR_NONE;
  }

  #readInterruptId(): number {
    const id = this.#interruptId(this.#ier);
    // Reading IIR answers the transmitter's interrupt if that is the one it names (table IV).
    if (id === IIR_TRANSMITTER_EMPTY) {
      this.#transmitterInterrupt = false;
      this.#updateIrq();
    }
    return id | (this.#receiver.fifosEnabled ? IIR_FIFOS_ENABLED : 0);
  }

  #readLineStatus(): number {
    this.#receive();
    const { overrun, empty } = this.#receiver;
    this.#receiver.overrun = false;
    this.#updateIrq();
    return LSR_TRANSMITTER_EMPTY | (overrun ? LSR_OVERRUN : 0) | (empty ? 0 : LSR_DATA_READY);
  }

  #readModemStatus(): number {
    const status = this.#msr;
    this.#msr &= ~MSR_DELTA;
    this.#updateIrq();
    return status;
  }

  /** The modem lines as they are now, and bits for those that changed (8.9). */
  #updateModemLines(): void {
    const mcr = this.#mcr;
    let lines = MSR_CONNECTED;
    if (mcr & MCR_LOOPBACK) {
      // Loopback ties the four outputs to the four inputs (8.8).
      lines =
        (mcr & MCR_RTS ? MSR_CTS : 0) |
        (mcr & MCR_DTR ? MSR_DSR : 0) |
        (mcr & MCR_OUT1 ? MSR_RI : 0) |
        (mcr & MCR_OUT2 ? MSR_DCD : 0);
    }
    let changed = ((lines ^ this.#msr) >> 4) & MSR_DELTA;
    // The ring indicator counts only when it ends.
    if (lines & MSR_RI) changed &= ~MSR_TRAILING_EDGE_RI;
    this.#msr = lines | (this.#msr & MSR_DELTA) | changed;
    this.#updateIrq();
  }

  /** Receives the source's bytes, as far as there is room. Loopback disconnects the line's input (8.8). */
  #receive(): void {
    if (this.#input !== undefined && !(this.#mcr & MCR_LOOPBACK)) this.#receiver.fill(this.#input);
  }

  /** On a PC the interrupt reaches the bus through a gate that OUT2 opens; loopback forces OUT2 inactive (8.8). */
  get #gateOpen(): boolean {
    return (this.#mcr & (MCR_OUT2 | MCR_LOOPBACK)) === MCR_OUT2;
  }

  #updateIrq(ier = this.#ier): void {
    this.#line?.set(this.#gateOpen && this.#interruptId(ier) !== IIR_NONE);
  }
}
