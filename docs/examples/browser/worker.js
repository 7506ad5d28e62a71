// Runs the image that it is sent, in real mode, and sends back the console's bytes and how it ended.
import { loadSoftEngine, Machine, parseImage, standardDevices } from '/dist/browser.js';

const decoder = new TextDecoder();
const engine = loadSoftEngine('/dist/soft.wasm');

onmessage = async ({ data: bytes }) => {
  const machine = new Machine({
    engine: await engine,
    image: parseImage(bytes, 'guest'),
    mode: 'real',
    devices: standardDevices({
      output: (chunk) => postMessage({ text: decoder.decode(chunk, { stream: true }) }),
    }),
  });
  const { kind, reason, exits } = machine.run({ timeoutMs: 5000 });
  const { instructions } = machine.cpu;
  postMessage({ outcome: `${kind}: ${reason}, after ${instructions} instructions and ${exits} exits` });
};
