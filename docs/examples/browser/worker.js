// Runs the image that it receives, and sends back the console's bytes, how it ended, and an explanation where it died.
import { createMachine, explain, formatExplanation, loadSoftEngine, parseImage } from '/dist/browser.js';

const decoder = new TextDecoder();
const engine = loadSoftEngine('/dist/soft.wasm');

onmessage = async ({ data: bytes }) => {
  try {
    const machine = createMachine({
      engine: await engine,
      image: parseImage(bytes, 'guest'),
      output: (chunk) => postMessage({ text: decoder.decode(chunk, { stream: true }) }),
    });
    const outcome = machine.run({ timeoutMs: 5000 });
    const { kind, reason, exits } = outcome;
    postMessage({ outcome: `${kind}: ${reason}, after ${machine.cpus[0].instructions} instructions and ${exits} exits` });
    if (kind === 'shutdown') postMessage({ why: formatExplanation(explain({ ...outcome, memory: machine.memory })) });
  } catch (error) {
    postMessage({ outcome: `${error.message}${error.hint ? ` (${error.hint})` : ''}` });
  }
};
