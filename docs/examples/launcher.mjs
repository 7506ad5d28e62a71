// The launcher of "Linux KVM as a Learning Tool" (Linux Journal, 2009).
// node docs/examples/launcher.mjs KERNEL [MILLISECONDS]
import { readFileSync } from 'node:fs';
import { createLauncher } from 'terrarium-vm';

const IO_PORT_PSEUDO_SERIAL = 0xf1;
const [kernel, milliseconds = 'Infinity'] = process.argv.slice(2);

const launcher = createLauncher({
  memory: 16 * 1024 * 1024,
  callbacks: {
    out8(port, value) {
      const printable = (value >= 0x20 && value < 0x7f) || value === 0x0a;
      if (port !== IO_PORT_PSEUDO_SERIAL) console.log(`outb: ${port.toString(16)}, ${value}`);
      else process.stdout.write(printable ? String.fromCharCode(value) : '.');
    },
  },
});
launcher.memory.writeBytes(0xf0000, readFileSync(kernel));
const end = launcher.run({ timeoutMs: Number(milliseconds) });
console.error(`${end.reason} (${end.exits} exits)`);
launcher[Symbol.dispose]();
