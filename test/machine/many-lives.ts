/** A separate program: makes, runs and disposes a given number of machines on KVM. */
import { parseImage } from '../../src/boot/index.js';
import { kvmEngine } from '../../src/engine/kvm/index.js';
import { Machine } from '../../src/machine/index.js';

const halt = parseImage(new Uint8Array([0xf4]), 'halt');
for (let left = Number(process.argv[2]); left > 0; left--) {
  using machine = new Machine({ engine: kvmEngine(), image: halt, mode: 'real' });
  machine.run();
}
