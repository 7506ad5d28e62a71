/** The VGA: the cost of filling a picture for the guest, and of making one for the monitor. */
import path from 'node:path';
import { cellsOf } from '../src/apps/frontend/screen/cells.js';
import { CellPainter } from '../src/apps/frontend/screen/painter.js';
import { kitty, sixel } from '../src/apps/frontend/screen/pixels.js';
import { modes, VgaRig } from '../src/devices/vga/testing.js';
import { compileSource } from '../src/runtime/images/toolchain.js';
import { createMachine } from '../src/runtime/index.js';
import { median, type Row } from './measure.js';

type EngineName = 'kvm' | 'soft';

/** The cost of a frame, without that of setting the mode. */
interface Cost {
  exits: number;
  coalesced: number;
  milliseconds: number;
}

const ROUNDS = 5;
/** A frame of the terminal: a sixtieth of a second. */
const FRAME_MS = 1000 / 60;

export function benchVga(root: string): Row[] {
  const { bytes } = compileSource(path.join(root, 'bench/vga-fill.S'), { mode: 'real' });
  return [...fills(bytes), ...pictures()];
}

function fills(image: Uint8Array): Row[] {
  const rows: Row[] = [];
  const engines = ['kvm', 'soft'] as const;
  for (const engine of engines) {
    const { exits, coalesced, milliseconds } = frameCost(image, engine, false, true);
    rows.push({
      name: `chain-4 fill, ${engine}`,
      unit: 'frames/s',
      terrarium: 1000 / milliseconds,
      goal: '0 exits a frame',
      holds: exits === 0 && coalesced === 0,
      note: `${exits} exits a frame`,
    });
  }
  const kvm = frameCost(image, 'kvm', true, true);
  const each = frameCost(image, 'kvm', true, false);
  const soft = frameCost(image, 'soft', true, true);
  const planar = (name: string, { exits, coalesced, milliseconds }: Cost): Row => ({
    name: `planar fill, ${name}`,
    unit: 'frames/s',
    terrarium: 1000 / milliseconds,
    note: `${exits.toFixed(0)} exits and ${coalesced.toFixed(0)} coalesced writes a frame`,
  });
  const ratio = each.milliseconds / soft.milliseconds;
  rows.push(planar('kvm', kvm), planar('kvm, an exit each', each), {
    ...planar('soft', soft),
    control: { name: 'kvm, an exit each', value: 1000 / each.milliseconds },
    ratio,
    goal: '≥ 3 times as fast',
    holds: ratio >= 3,
  });
  return rows;
}

function frameCost(image: Uint8Array, engine: EngineName, planar: boolean, coalesce: boolean): Cost {
  const frames = planar ? 20 : engine === 'kvm' ? 60 : 2000;
  const costs: Cost[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const empty = run(image, engine, planar, coalesce, 0);
    const full = run(image, engine, planar, coalesce, frames);
    costs.push({
      exits: (full.exits - empty.exits) / frames,
      coalesced: (full.coalesced - empty.coalesced) / frames,
      milliseconds: (full.milliseconds - empty.milliseconds) / frames,
    });
  }
  return { ...costs[0]!, milliseconds: median(costs.map((cost) => cost.milliseconds)) };
}

function run(
  image: Uint8Array,
  engine: EngineName,
  planar: boolean,
  coalesce: boolean,
  frames: number,
): Cost {
  const patched = image.slice();
  patched[2] = planar ? 1 : 0;
  new DataView(patched.buffer, patched.byteOffset).setUint16(3, frames, true);
  using machine = createMachine({
    engine,
    image: patched,
    mode: 'real',
    memory: 1 << 20,
    vga: true,
    coalesce,
  });
  const { exits, coalesced, elapsedMs } = machine.run({ timeoutMs: 60_000 });
  return { exits, coalesced, milliseconds: elapsedMs };
}

/** A picture that changes completely each time. */
function pictures(): Row[] {
  const text = new VgaRig();
  text.setMode(modes['text 80x25']!);
  // Characters of eight dots: 640 by 400.
  text.set(0x3c4, 1, 1);
  const graphics = new VgaRig();
  graphics.setMode(modes['320x200, chain-4']!);
  graphics.out(0x3c8, 0);
  for (let i = 0; i < 768; i++) graphics.out(0x3c9, (i * 7) & 63);
  let turn = 0;
  const changeText = () => {
    turn++;
    for (let i = 0; i < 4000; i++) text.write(0xb8000 + i, (i * 7 + turn) & 0x7f);
  };
  const changeGraphics = () => {
    turn++;
    for (let y = 0; y < 200; y++)
      for (let x = 0; x < 320; x++) graphics.write(0xa0000 + y * 320 + x, ((x * y) >> 6) + turn);
  };
  const textScreen = text.vga.screen();
  const screen = graphics.vga.screen();
  const painter = new CellPainter();
  const shown = (name: string, show: () => string): Row => {
    const milliseconds = time(changeGraphics, () => void show());
    return {
      name: `320×200 shown: ${name}`,
      unit: 'ms',
      terrarium: milliseconds,
      goal: `≤ ${FRAME_MS.toFixed(1)} ms: 60 a second`,
      holds: milliseconds <= FRAME_MS,
    };
  };
  const whole = time(changeText, () => void textScreen.look());
  return [
    { name: 'text 640×400 to RGBA', unit: 'ms', terrarium: whole, goal: '≤ 2 ms', holds: whole <= 2 },
    {
      name: '… nothing changed',
      unit: 'ms',
      terrarium: time(
        () => {},
        () => void textScreen.look(),
      ),
    },
    {
      name: '320×200 to RGBA',
      unit: 'ms',
      terrarium: time(changeGraphics, () => void screen.look()),
    },
    shown('half blocks, 100×37', () => painter.paint(cellsOf(screen.look(), 100, 37))),
    shown('kitty', () => kitty(screen.look(), 100, 37)),
    shown('sixels', () => sixel(screen.look(), 2)),
  ];
}

/** The median of many, after some warm-up rounds. */
function time(prepare: () => void, work: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < 120; i++) {
    prepare();
    const started = performance.now();
    work();
    if (i >= 20) times.push(performance.now() - started);
  }
  return median(times);
}
