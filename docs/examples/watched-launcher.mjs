// What top and kvm_stat show about a launcher, from inside it.
// node docs/examples/watched-launcher.mjs KERNEL MILLISECONDS [irqchip]
import { readFileSync } from 'node:fs';
import { createLauncher } from 'terrarium-vm';

const [kernel, milliseconds, irqchip] = process.argv.slice(2);
let letters = 0;
const launcher = createLauncher({
  irqchip: irqchip === 'irqchip' ? 'kernel' : 'none',
  callbacks: {
    out8: () => {
      letters++;
    },
  },
});
launcher.memory.writeBytes(0xf0000, readFileSync(kernel));

const before = process.cpuUsage();
const end = launcher.run({ timeoutMs: Number(milliseconds) });
const { user, system } = process.cpuUsage(before);
const counted = new Map(launcher.counters().cpus[0]?.map(({ name, value }) => [name, value]));

console.log(`the run          ${end.reason}`);
console.log(`the launcher     ${end.exits} exits, ${letters} calls of out8`);
console.log(`the kernel       exits ${counted.get('exits')}, io_exits ${counted.get('io_exits')}, halt_exits ${counted.get('halt_exits')}`);
// In a run of a few milliseconds, most time goes into compiling JavaScript.
const busy = end.elapsedMs < 100 ? 'too short to say' : `${((user + system) / 10 / end.elapsedMs).toFixed(0)} % CPU`;
console.log(`top              ${busy}`);
launcher[Symbol.dispose]();
