// Runs a guest and ends its thread in order, which the command leaves to the end of the process.
import { drainPool, hostMachine, loadImage } from '../dist/index.js';

const { image, spec } = await loadImage(process.argv[2]);
const machine = await hostMachine({ ...spec, image });
machine.onOutput(() => {});
await machine.run();
await machine[Symbol.asyncDispose]();
await drainPool();
