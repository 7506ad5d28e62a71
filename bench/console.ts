/** 20,000 bytes to the debug console: coalesced here, one exit per byte in C. */
import { parseImage } from '../src/boot/index.js';
import { standardDevices } from '../src/devices/index.js';
import { kvmEngine } from '../src/engine/kvm/index.js';
import { Machine } from '../src/machine/index.js';
import { type Floor, inTurns, type Row } from './measure.js';

const BYTES = 20_000;
const PAIRS = 7;
const GOAL = 4;

/** mov $20000,%cx; 1: out %al,$0xe9; loop 1b; hlt */
const code = [0xb9, BYTES & 0xff, BYTES >> 8, 0xe6, 0xe9, 0xe2, 0xfc, 0xf4];

export function benchConsole(floor: Floor): Row[] {
  const image = parseImage(new Uint8Array(code), 'console');
  let exits = 0;
  const ours = () => {
    let printed = 0;
    const output = (bytes: Uint8Array) => {
      printed += bytes.length;
    };
    using machine = new Machine({
      engine: kvmEngine(),
      image,
      mode: 'real',
      devices: standardDevices({ output }),
    });
    const outcome = machine.run();
    if (printed !== BYTES) throw new Error(`${printed} of ${BYTES} bytes arrived`);
    exits = outcome.exits;
    return (outcome.elapsedMs * 1000) / BYTES;
  };
  const { terrarium, control, ratio } = inTurns(PAIRS, ours, () => floor.run('console', BYTES) / 1000);
  return [
    {
      name: 'console byte, coalesced',
      unit: 'µs a byte',
      terrarium,
      control: { name: 'C, an exit a byte', value: control },
      ratio,
      goal: `≥ ${GOAL} times faster`,
      holds: ratio <= 1 / GOAL,
      note: `${(1 / ratio).toFixed(1)} times faster; ${exits} exits`,
    },
  ];
}
