// Two hypercalls of your own. node docs/examples/hypercalls.mjs
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createMachine, HypercallError, targetOf } from 'terrarium-vm';

const machine = createMachine({
  image: fileURLToPath(new URL('ask.c', import.meta.url)),
  output: (bytes) => process.stdout.write(bytes),
  hypercalls: {
    log: (text) => console.error(text),
    calls: {
      64: {
        name: 'add',
        handle: ({ args }) => args[0] + args[1],
      },
      65: {
        name: 'host name',
        handle(request, memory, inputs) {
          // args[0] and args[1] are a buffer: checked, and limited to 64 bytes.
          const { address, length } = targetOf(memory, request, 64);
          const name = new TextEncoder().encode(`${inputs.ask('host name', hostname)}\n`);
          if (name.length > length) throw new HypercallError('EINVAL');
          memory.writeBytes(address, name);
          return name.length;
        },
      },
    },
  },
});
const { kind, code, exits } = machine.run({ timeoutMs: 1000 });
console.log(kind, code, `after ${exits} exits`);
machine[Symbol.dispose]();
