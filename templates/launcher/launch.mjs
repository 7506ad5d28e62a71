// {{name}}: a virtual machine of your own. Every function below is called when the guest does what its name says.
import path from 'node:path';
import { createLauncher } from 'terrarium-vm';

const launcher = createLauncher({
  image: path.join(import.meta.dirname, 'kernel.S'),
  mode: 'real',
  callbacks: {
    in8(port) {
      console.log(`the guest reads port 0x${port.toString(16)}`);
      return 21;
    },
    out8(port, value) {
      console.log(`the guest writes ${value} to port 0x${port.toString(16)}`);
    },
  },
});

const end = launcher.run({ timeoutMs: 2000 });
console.log(`${end.reason} after ${end.exits} exits`);
launcher[Symbol.dispose]();
