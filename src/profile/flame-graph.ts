import type { Profile } from './profile.js';

const WIDTH = 1200;
const ROW = 18;
const TOP = 44;
const EDGE = 10;
/** Characters of a name in a box are about so wide. */
const LETTER = 6.6;
/** What is narrower is left out: it could not be seen. */
const NARROWEST = 0.3;
const DEEPEST = 200;

/** A function, called by the one below it. */
interface Box {
  name: string;
  instructions: number;
  readonly calls: Map<string, Box>;
}

/** A flame graph (Gregg, 2011) as SVG text: a box a function, as wide as its share of the instructions, above its caller. */
export function flameGraph(profile: Profile, title: string): string {
  const root = stacked(profile);
  const rows: string[][] = [];
  place(root, EDGE, WIDTH - 2 * EDGE, 0, root.instructions, rows);
  const height = TOP + rows.length * ROW + EDGE;
  const boxes = rows.flatMap((row, depth) => {
    const y = TOP + (rows.length - 1 - depth) * ROW;
    return [`<g transform="translate(0 ${y})">`, ...row, '</g>'];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${WIDTH / 2}" y="26" text-anchor="middle" font-size="16" font-family="sans-serif">${escaped(title)}</text>`,
    ...boxes,
    '</svg>\n',
  ].join('\n');
}

function stacked({ functions, stacks }: Profile): Box {
  const root: Box = { name: 'all', instructions: 0, calls: new Map() };
  for (const { frames, instructions } of stacks) {
    root.instructions += instructions;
    let box = root;
    for (const frame of frames.slice(0, DEEPEST)) {
      const name = functions[frame]!;
      let called = box.calls.get(name);
      if (called === undefined) {
        called = { name, instructions: 0, calls: new Map() };
        box.calls.set(name, called);
      }
      called.instructions += instructions;
      box = called;
    }
  }
  return root;
}

function place(box: Box, x: number, width: number, depth: number, all: number, rows: string[][]): void {
  if (width < NARROWEST) return;
  rows[depth] ??= [];
  rows[depth].push(drawn(box, x, width, all));
  let at = x;
  // By name, so that two profiles can be compared side by side.
  for (const called of [...box.calls.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const wide = (width * called.instructions) / box.instructions;
    place(called, at, wide, depth + 1, all, rows);
    at += wide;
  }
}

function drawn({ name, instructions }: Box, x: number, width: number, all: number): string {
  const share = ((100 * instructions) / all).toFixed(2);
  const letters = Math.floor((width - 6) / LETTER);
  const short = name.length <= letters ? name : `${name.slice(0, Math.max(0, letters - 1))}…`;
  const label = letters < 3 ? '' : `<text x="${(x + 3).toFixed(1)}" y="13">${escaped(short)}</text>`;
  return `<g><title>${escaped(name)}: ${instructions} instructions, ${share} %</title><rect x="${x.toFixed(1)}" y="0" width="${Math.max(0.2, width - 0.5).toFixed(1)}" height="${ROW - 1}" rx="1" fill="${colourOf(name)}"/>${label}</g>`;
}

/** A warm colour that a name always has. */
function colourOf(name: string): string {
  let hash = 0;
  for (const letter of name) hash = (Math.imul(hash, 31) + letter.codePointAt(0)!) >>> 0;
  return `hsl(${10 + (hash % 45)} ${75 + ((hash >>> 8) % 20)}% ${62 + ((hash >>> 16) % 14)}%)`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** As text in SVG. Names come from the guest's file: XML has no control characters. */
function escaped(text: string): string {
  return text.replace(/\p{Cc}/gu, '?').replace(/[&<>"]/g, (one) => entities[one]!);
}
