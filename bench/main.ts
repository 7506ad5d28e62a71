/** `npm run bench`: measures every number that SPECIFICATION.md promises. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { benchConsole } from './console.js';
import { benchDisk } from './disk.js';
import { benchExits } from './exits.js';
import { benchGdb } from './gdb.js';
import { benchGrade } from './grade.js';
import { benchGradeQueue } from './grade-queue.js';
import { benchHistory } from './history.js';
import { benchInterrupts } from './interrupts.js';
import { benchLab } from './lab.js';
import { benchLifecycle } from './lifecycle.js';
import { Floor, printTable, type Row } from './measure.js';
import { benchParts } from './parts.js';
import { benchPmioMmio } from './pmio-mmio.js';
import { benchResets } from './resets.js';
import { benchSimvirtio } from './simvirtio.js';
import { benchSoft } from './soft.js';
import { benchStartup } from './startup.js';
import { benchStop } from './stop.js';
import { benchTrace } from './trace.js';
import { benchVga } from './vga.js';

const root = process.cwd();
const wanted = process.argv.slice(2);
const wants = (name: string) => wanted.length === 0 || wanted.includes(name);

using floor = new Floor(path.join(root, 'bench/floor.c'));
const rows: Row[] = [];
const benches: Record<string, () => Row[] | Promise<Row[]>> = {
  lifecycle: () => benchLifecycle(floor),
  resets: () => benchResets(),
  history: () => benchHistory(root),
  exits: () => benchExits(floor),
  console: () => benchConsole(floor),
  startup: () => benchStartup(root),
  stop: () => benchStop(),
  interrupts: () => benchInterrupts(),
  simvirtio: () => benchSimvirtio(floor),
  soft: () => benchSoft(root),
  'pmio-mmio': () => benchPmioMmio(floor),
  trace: () => benchTrace(root),
  vga: () => benchVga(root),
  disk: () => benchDisk(root),
  gdb: () => benchGdb(['soft', 'kvm']),
  grade: () => benchGrade(root),
  'grade-queue': () => benchGradeQueue(root),
  parts: () => benchParts(),
  lab: () => benchLab(),
};
for (const [name, bench] of Object.entries(benches)) {
  if (!wants(name)) continue;
  process.stderr.write(`measuring ${name} …\n`);
  rows.push(...(await bench()));
}
printTable(rows);
const results = path.join(root, 'bench/results');
mkdirSync(results, { recursive: true });
const file = path.join(results, `${new Date().toISOString().replace(/[:.]/g, '-')}.json`);
writeFileSync(
  file,
  `${JSON.stringify({ node: process.version, date: new Date().toISOString(), rows }, null, 2)}\n`,
);
process.stderr.write(`written to ${path.relative(root, file)}\n`);
process.exitCode = rows.some((row) => row.holds === false) ? 1 : 0;
