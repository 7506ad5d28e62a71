/**
 * Registers of a PC that belong to no other device: system control port A (0x92: fast A20 and reset), port B
 * (0x61: the speaker and counter 2's gate), and the reset control register (0xCF9). Sources: IBM PS/2 Hardware Interface
 * Technical Reference, system board; Intel 82371AB (PIIX4) data sheet 4.1.3.
 *
 * @module
 */
import { Rate } from '../time/index.js';
import type { Access, AccessSize, AccessWords, Device, DeviceHost, PortRange } from './contract/index.js';
import { PIT_HZ, type Pit8254 } from './pit8254/pit8254.js';
import { booleanField, registerField, stateFields } from './state.js';
import { bits, words } from './words.js';

const PORT_A = 0x92;
const PORT_B = 0x61;
const RESET_CONTROL = 0xcf9;

const PortA = { reset: 1, a20: 2 } as const;
const PortB = { gate: 1, speaker: 2, refresh: 0x10, output: 0x20 } as const;
const ResetControl = { system: 2, reset: 4 } as const;
/** Bits of 0xCF9 that keep the written value: system reset and full reset. */
const RESET_KEPT = 0x0a;

/** The request bit toggles with each refresh of the memory, every 18 pulses of the timer, 15.085 µs: programs wait by it. */
const refreshes = new Rate(PIT_HZ);
const PULSES_A_REFRESH = 18;

const described: Readonly<Record<number, AccessWords>> = {
  [PORT_A]: words('system control port A', bits('reset', 'A20')),
  [PORT_B]: words(
    'system control port B',
    bits('gate of counter 2', 'speaker on', '', '', 'refresh', 'output of counter 2'),
  ),
  [RESET_CONTROL]: words('reset control', bits('', 'hard', 'reset', 'full')),
};

/** The speaker's state: `frequency` in Hz, 0 while it is silent. */
export interface Tone {
  readonly frequency: number;
}

export interface SystemControlOptions {
  /** The timer whose counter 2 makes the tone; without it there is no port 0x61. */
  pit?: Pit8254;
  /** Called when the speaker starts, stops or changes its tone. */
  onTone?: (tone: Tone) => void;
}

export interface SystemControlState {
  portA: number;
  gate: boolean;
  speaker: boolean;
  resetControl: number;
}

/** The three registers: see the module's comment. */
export class SystemControl implements Device {
  readonly name = 'system-control';
  readonly ports: readonly PortRange[];
  readonly #pit: Pit8254 | undefined;
  readonly #onTone: (tone: Tone) => void;
  #host: DeviceHost | undefined;
  #portA: number = PortA.a20;
  #gate = false;
  #speaker = false;
  #resetControl = 0;
  #heard = 0;

  constructor({ pit, onTone = () => {} }: SystemControlOptions = {}) {
    this.#pit = pit;
    this.#onTone = onTone;
    const byte = (first: number): PortRange => ({ first, count: 1, width: 1 });
    this.ports = [byte(PORT_A), byte(RESET_CONTROL), ...(pit === undefined ? [] : [byte(PORT_B)])];
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    // A PC's gate is closed until a program opens it.
    this.#pit?.setGate(2, this.#gate);
    this.#pit?.watch(2, () => this.#listen());
  }

  /** The speaker's current state. */
  get tone(): Tone {
    const period = this.#pit?.period(2) ?? 0;
    const on = this.#gate && this.#speaker && period > 0;
    return { frequency: on ? PIT_HZ / period : 0 };
  }

  /** Fast A20 as the guest set it. Memory does not follow it: this machine's A20 is always on. */
  get a20(): boolean {
    return (this.#portA & PortA.a20) !== 0;
  }

  readPort(port: number): number {
    if (port === PORT_A) return this.#portA;
    if (port === RESET_CONTROL) return this.#resetControl;
    const refresh = Math.floor(refreshes.passed(this.#host?.clock.now() ?? 0) / PULSES_A_REFRESH) & 1;
    return (
      (this.#gate ? PortB.gate : 0) |
      (this.#speaker ? PortB.speaker : 0) |
      (refresh === 1 ? PortB.refresh : 0) |
      (this.#pit?.output(2) ? PortB.output : 0)
    );
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    if (port === PORT_A) {
      // Only a rise of the bit resets.
      const rises = (value & ~this.#portA & PortA.reset) !== 0;
      this.#portA = value & (PortA.reset | PortA.a20);
      if (rises) this.#host?.reset('system control port A, bit 0');
    } else if (port === RESET_CONTROL) {
      const rises = (value & ~this.#resetControl & ResetControl.reset) !== 0;
      this.#resetControl = value & (RESET_KEPT | ResetControl.reset);
      if (!rises) return;
      const hard = (value & ResetControl.system) !== 0;
      this.#host?.reset(`the reset control register, ${hard ? 'hard' : 'soft'}`);
    } else {
      this.#gate = (value & PortB.gate) !== 0;
      this.#speaker = (value & PortB.speaker) !== 0;
      this.#pit?.setGate(2, this.#gate);
      this.#listen();
    }
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    return described[address];
  }

  #listen(): void {
    const { frequency } = this.tone;
    if (frequency === this.#heard) return;
    this.#heard = frequency;
    this.#onTone({ frequency });
  }

  save(): SystemControlState {
    return {
      portA: this.#portA,
      gate: this.#gate,
      speaker: this.#speaker,
      resetControl: this.#resetControl,
    };
  }

  load(state: unknown): void {
    const fields = stateFields(this.name, state, this.save());
    const portA = registerField(this.name, 'portA', fields.portA, PortA.reset | PortA.a20);
    const resetControl = registerField(
      this.name,
      'resetControl',
      fields.resetControl,
      RESET_KEPT | ResetControl.reset,
    );
    const gate = booleanField(this.name, 'gate', fields.gate);
    this.#speaker = booleanField(this.name, 'speaker', fields.speaker);
    this.#portA = portA;
    this.#resetControl = resetControl;
    this.#gate = gate;
    this.#listen();
  }
}
