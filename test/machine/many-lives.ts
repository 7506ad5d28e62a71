/** A program of its own: makes, runs and disposes as many machines on KVM as it is told. */
import { parseImage } from '../../src/boot/index.js';
import { kvmEngine } from '../../src/engine/kvm/index.js';
import { Machine } from '../../src/machine/index.js';

const halt = parseImage(new Uint8Array([0xf4]), 'halt');
for (let left = Number(process.argv[2]); left > 0; left--) {
  using machine = new Machine({ engine: kvmEngine(), image: halt, mode: 'real' });
  machine.run();
}
