/** Runs one Multiboot image on v86 and prints the times of its parts as JSON: node v86.js FILE jit|interpreter */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { V86 } from 'v86';
import { PartClock } from './programs.js';

const [file = '', compiler] = process.argv.slice(2);
const image = Uint8Array.from(readFileSync(file));
const emulator = new V86({
  wasm_path: fileURLToPath(new URL('v86.wasm', import.meta.resolve('v86'))),
  memory_size: 64 * 1024 * 1024,
  multiboot: { buffer: image.buffer },
  autostart: true,
  disable_jit: compiler !== 'jit',
  disable_speaker: true,
});
const clock = new PartClock();
emulator.add_listener('serial0-output-byte', (byte) => {
  clock.byte(byte);
  if (!clock.done) return;
  process.stdout.write(JSON.stringify(Object.fromEntries(clock.parts)));
  process.exit();
});
