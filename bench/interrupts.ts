/** A timer of 1 kHz: does each tick reach the guest, and how late? */
import path from 'node:path';
import { type Mode, parseImage } from '../src/boot/index.js';
import type { Device } from '../src/devices/contract/index.js';
import { Pic8259, Pit8254 } from '../src/devices/index.js';
import { kvmEngine } from '../src/engine/kvm/index.js';
import { Machine } from '../src/machine/index.js';
import { compileSource } from '../src/runtime/images/toolchain.js';
import { tickAccount } from '../test/guests/tick-account.js';
import { median, type Row } from './measure.js';

const guests = [
  { name: 'asleep in HLT', file: 'ticks-halt', mode: 'real' },
  { name: 'busy in ring 0', file: 'ticks-busy', mode: 'real' },
  { name: 'busy in ring 3', file: 'ticks-ring3', mode: 'long' },
] as const;

const SECONDS = 10;
/** The count that the guests program: 1 kHz, apart from the remainder. */
const COUNT = 1193;
const PERIOD_MS = (COUNT * 1000) / 1_193_182;

/** Records when each tick's handler began. */
class Witness implements Device {
  readonly name = 'witness';
  readonly ports = [{ first: 0x80, count: 1 }];
  readonly times = new Float64Array(SECONDS * 1100);
  ticks = 0;
  writePort(): void {
    this.times[this.ticks++] = performance.now();
  }
  /** How late each tick was, in µs, relative to the most punctual one. */
  lateness(): number[] {
    const late = Array.from(this.times.subarray(0, this.ticks), (time, tick) => time - tick * PERIOD_MS);
    const earliest = Math.min(...late);
    return late.map((ms) => (ms - earliest) * 1000).sort((a, b) => a - b);
  }
  /** The difference of the guest's second from the host's, in millionths, by the most punctual ticks of both ends. */
  drift(): number {
    const late = Array.from(this.times.subarray(0, this.ticks), (time, tick) => time - tick * PERIOD_MS);
    const span = 500;
    const drifted = Math.min(...late.slice(-span)) - Math.min(...late.slice(0, span));
    return (drifted / (PERIOD_MS * (this.ticks - span))) * 1e6;
  }
}

function tick(file: string, mode: Mode, irqchip: 'user' | 'kernel', seconds: number) {
  const source = path.resolve('test/guests', `${file}.S`);
  const { bytes } = compileSource(source, { mode: mode === 'long' ? 'long' : 'real', strip: true });
  const [pic, pit, witness] = [new Pic8259(), new Pit8254(), new Witness()];
  using machine = new Machine({
    engine: kvmEngine(),
    image: parseImage(bytes, file),
    mode,
    memory: 2 ** 21,
    devices: irqchip === 'user' ? [pic, pit, witness] : [witness],
    irqchip,
  });
  machine.run({ timeoutMs: seconds * 1000 });
  const account = irqchip === 'user' ? tickAccount(machine, pic, pit) : undefined;
  return { account, late: witness.lateness(), drift: witness.drift() };
}

export function benchInterrupts(): Row[] {
  return guests.flatMap(({ name, file, mode }) => {
    const user = tick(file, mode, 'user', SECONDS);
    const kernel = tick(file, mode, 'kernel', 2);
    const p99 = (values: number[]) => values[Math.floor(values.length * 0.99)]!.toFixed(0);
    return [
      {
        name: `ticks lost of ${user.account!.due}: ${name}`,
        unit: 'ticks',
        terrarium: user.account!.lost,
        goal: '0',
        holds: user.account!.lost === 0,
        note: `drift ${user.drift.toFixed(1)} ppm, ${((user.drift * SECONDS) / 1000).toFixed(3)} ms in ${SECONDS} s`,
      },
      {
        name: `lateness of a tick: ${name}`,
        unit: 'µs',
        terrarium: median(user.late),
        control: { name: "KVM's timer", value: median(kernel.late) },
        note: `99 of 100 within ${p99(user.late)} µs; KVM's within ${p99(kernel.late)} µs`,
      },
    ];
  });
}
