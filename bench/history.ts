/** The cost of time travel during a run, and the time to go back. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseImage } from '../src/boot/index.js';
import { DebugSession } from '../src/debug/index.js';
import type { MachineState } from '../src/machine/index.js';
import { createMachine } from '../src/runtime/index.js';
import { decodeTerra, encodeTerra } from '../src/terra/index.js';
import { median, type Row } from './measure.js';
import { buildProgram } from './programs.js';

const SCALE = 40;
const TURNS = 5;
const VISITS = 40;
const GOAL_SHARE = 0.05;
const GOAL_STEP_MS = 100;
const GOAL_GO_MS = 300;
const GOAL_WRITE_MS = 50;
const GOAL_SNAPSHOT_MS = 40;
const GOAL_RESTORE_MS = 20;
/** The number of instructions that the search for the last write covers. */
const SEARCHED = 10_000_000;

export async function benchHistory(root: string): Promise<Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-history-'));
  try {
    const { direct } = buildProgram(path.join(root, 'bench/programs'), folder, 64, SCALE);
    return [...measured(readFileSync(direct)), ...(await snapshots(readFileSync(direct)))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function machineOf(bytes: Uint8Array, memory = 16 * 2 ** 20) {
  return createMachine({ engine: 'soft', image: parseImage(bytes, 'mix'), memory });
}

/** Milliseconds of an action. */
function timed(action: () => void): number {
  const started = performance.now();
  action();
  return performance.now() - started;
}

function measured(bytes: Uint8Array): Row[] {
  const [without, withHistory]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < TURNS; turn++)
    for (const times of [without, withHistory]) {
      using machine = machineOf(bytes);
      const session = new DebugSession(machine, times === withHistory ? { history: {} } : {});
      times.push(timed(() => session.resume()));
    }
  const share = median(without.map((ms, turn) => withHistory[turn]! / ms)) - 1;
  using machine = machineOf(bytes);
  const session = new DebugSession(machine, { history: {} });
  session.resume();
  const { last } = session.history()!;
  const anywhere = () => Math.floor(Math.random() * last);
  const goes = Array.from({ length: VISITS }, () => timed(() => session.goTo(anywhere())));
  const steps = Array.from({ length: VISITS }, () => {
    session.goTo(anywhere());
    return timed(() => session.stepBack());
  });
  session.goTo(Math.min(last, SEARCHED));
  const nobody = timed(() => session.lastWrite(0xf0_0000n, 8));
  const millions = (last / 1e6).toFixed(0);
  const note = `a history of ${millions} million instructions, ${(session.historyBytes() / 2 ** 20).toFixed(0)} MiB`;
  return [
    row('a history’s part of a run', '%', share * 100, GOAL_SHARE * 100, note),
    row(
      'to any moment, the slowest of 40',
      'ms',
      Math.max(...goes),
      GOAL_GO_MS,
      `median ${median(goes).toFixed(1)}`,
    ),
    row(
      'a step back anywhere, the slowest of 40',
      'ms',
      Math.max(...steps),
      GOAL_STEP_MS,
      `median ${median(steps).toFixed(1)}`,
    ),
    row('who wrote, in ten million instructions', 'ms', nobody, GOAL_WRITE_MS, 'nobody did'),
  ];
}

/** A guest of 128 MiB that has used 20 of them. */
async function snapshots(bytes: Uint8Array): Promise<Row[]> {
  const [saves, loads]: [number[], number[]] = [[], []];
  let state: MachineState | undefined;
  for (let turn = 0; turn < TURNS; turn++) {
    // Always the first save of a machine: saving again costs almost nothing.
    using machine = machineOf(bytes, 128 * 2 ** 20);
    for (let at = 64 * 2 ** 20; at < 84 * 2 ** 20; at += 8)
      machine.memory.write32(at, (at * 2654435761) >>> 7);
    saves.push(
      timed(() => {
        state = machine.save();
      }),
    );
    using fresh = machineOf(bytes, 128 * 2 ** 20);
    loads.push(timed(() => fresh.load(state!)));
  }
  const terra = { spec: { memory: 128 * 2 ** 20 }, image: parseImage(bytes, 'mix'), state: state! };
  const started = performance.now();
  const file = await encodeTerra(terra);
  const written = performance.now() - started;
  await decodeTerra(file);
  const size = file.length / 2 ** 20;
  return [
    row('a state of 128 MiB, 20 of them touched', 'ms', median(saves), GOAL_SNAPSHOT_MS),
    row('taken into a new machine', 'ms', median(loads), GOAL_RESTORE_MS),
    row('its file', 'MiB', size, 12, `written in ${written.toFixed(0)} ms; half of the bytes are random`),
  ];
}

function row(name: string, unit: string, value: number, most: number, note = ''): Row {
  return { name, unit, terrarium: value, goal: `≤ ${most}`, holds: value <= most, note };
}
