// `node scripts/pictures.mjs`: makes the pictures of the README again, in docs/pictures. They show real runs: commands in a
// tmux terminal, whose cells are drawn by Chromium; screens of guests are Terrarium's own screenshots.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { root } from './paths.mjs';
import { setup } from './setup.mjs';

const folder = path.join(root, 'docs/pictures');
const socket = `terrarium-pictures-${process.pid}`;
const patienceMs = 30_000;

const cell = { width: 8.4, height: 18 };
const margin = 14;
const background = '#16181d';
const foreground = '#d8dce3';
// The sixteen colours of a dark terminal: the usual eight, then the bright ones.
const palette =
  '#16181d #e06c75 #8fbf7f #e5c07b #61afef #c678dd #56b6c2 #d8dce3 #6b7280 #ff8a93 #a9d99a #ffd98f #82c4ff #e0a0f0 #7fd5e0 #ffffff'.split(
    ' ',
  );

function tmux(...args) {
  return execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A shell with a prompt, in which commands are typed as by a person. */
class Terminal {
  constructor(columns, rows) {
    const bin = path.join(folder, '.bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(
      path.join(bin, 'terrarium'),
      `#!/bin/sh\nexec '${process.execPath}' '${root}/dist/cli.cjs' "$@"\n`,
      { mode: 0o755 },
    );
    const shell = `env -u NO_COLOR PATH='${bin}:${process.env.PATH}' PS1='$ ' bash --norc --noprofile`;
    tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-s',
      't',
      '-x',
      `${columns}`,
      '-y',
      `${rows}`,
      '-c',
      root,
      shell,
    );
    tmux('set', '-g', 'status', 'off');
    tmux('set', '-g', 'escape-time', '0');
    this.columns = columns;
  }

  press(...keys) {
    tmux('send-keys', '-t', 't', ...keys);
  }

  type(text) {
    tmux('send-keys', '-t', 't', '-l', text);
  }

  get text() {
    return tmux('capture-pane', '-p', '-t', 't');
  }

  /** Waits until `what` is visible, and then until nothing changes. */
  async sees(what) {
    let last = '';
    for (const end = performance.now() + patienceMs; ; await pause(150)) {
      const seen = this.text;
      if (what.test(seen) && seen === last) return;
      if (performance.now() > end) throw new Error(`${what} was never seen:\n${seen}`);
      last = seen;
    }
  }

  /** The visible cells, with their colours and attributes; without empty lines at the end. */
  capture() {
    return tmux('capture-pane', '-p', '-e', '-t', 't').replace(/\s+$/, '').split('\n').map(runsOf);
  }

  close() {
    spawnSync('tmux', ['-L', socket, 'kill-server']);
    rmSync(path.join(folder, '.bin'), { recursive: true, force: true });
  }
}

const ESC = String.fromCharCode(27);
const sequence = new RegExp(`(${ESC}\\[[\\d;]*m)`);
const codesOf = new RegExp(`^${ESC}\\[([\\d;]*)m$`);

/** A line as pieces with the same style; the control sequences are tmux's (SGR). */
function runsOf(line) {
  const runs = [];
  let look = {};
  let at = 0;
  for (const part of line.split(sequence)) {
    const codes = codesOf.exec(part)?.[1];
    if (codes !== undefined) look = changed(look, codes.split(';').map(Number));
    else if (part !== '') {
      runs.push({ at, text: part, ...look });
      at += [...part].length;
    }
  }
  return runs;
}

function changed(look, codes) {
  let next = { ...look };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 4) next.underline = true;
    else if (code === 7) next.inverse = true;
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 24) next.underline = false;
    else if (code === 27) next.inverse = false;
    else if (code === 39) next.color = undefined;
    else if (code === 49) next.back = undefined;
    else if (code >= 30 && code <= 37) next.color = palette[code - 30];
    else if (code >= 40 && code <= 47) next.back = palette[code - 40];
    else if (code >= 90 && code <= 97) next.color = palette[code - 82];
    else if (code >= 100 && code <= 107) next.back = palette[code - 92];
    else if (code === 38 || code === 48) {
      const [color, used] = extended(codes.slice(i + 1));
      if (code === 38) next.color = color;
      else next.back = color;
      i += used;
    }
  }
  return next;
}

/** A colour of the 256, or of red, green and blue. */
function extended([kind, a = 0, b = 0, c = 0]) {
  if (kind === 2) return [`rgb(${a},${b},${c})`, 4];
  if (a < 16) return [palette[a], 2];
  if (a >= 232) return [`rgb(${Array(3).fill(8 + 10 * (a - 232))})`, 2];
  const level = (n) => (n === 0 ? 0 : 55 + 40 * n);
  return [
    `rgb(${level(Math.floor((a - 16) / 36))},${level(Math.floor((a - 16) / 6) % 6)},${level((a - 16) % 6)})`,
    2,
  ];
}

const escaped = (text) => text.replace(/[&<>]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one]);

/** One picture of the terminal's lines, as the inside of an SVG. */
function drawn(lines) {
  const shapes = [];
  for (const [row, runs] of lines.entries()) {
    for (const { at, text, color, back, bold, dim, underline, inverse } of runs) {
      const count = [...text].length;
      const x = margin + at * cell.width;
      const y = margin + row * cell.height;
      const ink = inverse ? (back ?? background) : (color ?? foreground);
      const paper = inverse ? (color ?? foreground) : back;
      if (paper !== undefined)
        shapes.push(
          `<rect x="${x.toFixed(1)}" y="${y}" width="${(count * cell.width).toFixed(1)}" height="${cell.height}" fill="${paper}"/>`,
        );
      if (text.trim() === '') continue;
      const style = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}${underline ? ' text-decoration="underline"' : ''}`;
      shapes.push(
        `<text x="${x.toFixed(1)}" y="${y + 13}" textLength="${(count * cell.width).toFixed(1)}" fill="${ink}"${style}>${escaped(text)}</text>`,
      );
    }
  }
  return shapes.join('');
}

function svg(columns, rows, inside, style = '') {
  const width = Math.ceil(columns * cell.width + 2 * margin);
  const height = rows * cell.height + 2 * margin;
  const font = "font: 14px 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><style>text { ${font} }${style}</style><rect width="100%" height="100%" rx="8" fill="${background}"/>${inside}</svg>\n`;
}

/** Frames, each shown for its time, repeated without end. */
function animated(columns, frames) {
  const total = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = Math.max(...frames.map(({ lines }) => lines.length));
  let from = 0;
  const rules = [];
  const groups = [];
  for (const [n, { lines, seconds }] of frames.entries()) {
    const [begin, end] = [from, from + seconds].map((moment) => ((100 * moment) / total).toFixed(2));
    rules.push(
      ` #f${n} { animation: k${n} ${total}s steps(1) infinite; } @keyframes k${n} { 0% { opacity: ${n === 0 ? 1 : 0} } ${begin}% { opacity: 1 } ${end}% { opacity: 0 } }`,
    );
    groups.push(`<g id="f${n}">${drawn(lines)}</g>`);
    from += seconds;
  }
  return svg(columns, rows, groups.join(''), rules.join(''));
}

/** Draws SVGs as PNGs, at twice their size for screens of high resolution. */
async function toPng(pictures) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage({ deviceScaleFactor: 2 });
    for (const [name, text] of pictures) {
      await page.setContent(`<body style="margin:0">${text}</body>`);
      await page.locator('svg').screenshot({ path: path.join(folder, `${name}.png`), omitBackground: true });
    }
  } finally {
    await browser.close();
  }
}

/** The output of one command after its end, from the first line that matches `from`. */
async function shown(columns, rows, command, from = /^/) {
  const terminal = new Terminal(columns, rows);
  try {
    terminal.type(command);
    terminal.press('Enter');
    // The prompt has appeared again.
    await terminal.sees(/[^$]*\n\$\s*$/);
    const lines = terminal.capture();
    // The prompt that waits for the next command.
    if (
      lines
        .at(-1)
        ?.map(({ text }) => text)
        .join('')
        .trim() === '$'
    )
      lines.pop();
    const first = lines.findIndex((runs) => from.test(runs.map(({ text }) => text).join('')));
    const kept = lines.slice(Math.max(0, first));
    return svg(columns, kept.length, drawn(kept));
  } finally {
    terminal.close();
  }
}

/** From the first run to the explanation of a crash, as a person would do it. */
async function session(columns, rows) {
  const terminal = new Terminal(columns, rows);
  const frames = [];
  const keep = (seconds) => frames.push({ lines: terminal.capture(), seconds });
  try {
    await terminal.sees(/\$/);
    for (const command of [
      'terrarium run guests/hello --engine soft',
      'clear; terrarium debug guests/khw-real --engine soft',
    ]) {
      terminal.type(command);
      await pause(200);
      keep(1.2);
      terminal.press('Enter');
      await terminal.sees(command.includes('debug') ? /stopped/ : /halted/);
      keep(2.5);
    }
    for (let n = 0; n < 8; n++) {
      terminal.press('s');
      await pause(400);
      keep(n < 3 ? 1 : 0.5);
    }
    terminal.press('c');
    await terminal.sees(/halted|ended/);
    keep(3);
    return animated(columns, frames);
  } finally {
    terminal.close();
  }
}

/** The lab at a breakpoint of a guest that draws text, and its panels for tables and memory. */
async function lab(folder) {
  const server = spawn(process.execPath, ['dist/cli.cjs', 'lab', '--port', '0', '--no-open'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const url = await new Promise((resolve) =>
      server.stdout.once('data', (line) => resolve(String(line).trim())),
    );
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, colorScheme: 'dark' });
    await page.goto(`${url}#vga-text`);
    await page.waitForSelector('.status[data-status=ready]');
    await page.keyboard.press('F8');
    await page.waitForSelector('.status[data-status=ended], .status[data-status=stopped]');
    await page.keyboard.press('Shift+F7');
    await page.waitForSelector('.cm-current');
    await page.screenshot({ path: path.join(folder, 'lab.png') });
    await page.click('#tab-heat');
    await page.waitForSelector('.heat canvas');
    await page.locator('.side').screenshot({ path: path.join(folder, 'lab-heat.png') });
    await page.goto('about:blank');
    await page.goto(`${url}#rings-long`);
    await page.waitForSelector('.status[data-status=ready]');
    await page.keyboard.press('F8');
    await page.waitForSelector('.status[data-status=ended]');
    await page.click('#tab-tables');
    await page.keyboard.press('Shift+ArrowUp');
    await page.getByRole('button', { name: 'Pages', exact: true }).click();
    await page.fill('input[name=follow]', 'rip');
    await page.click('.follow button');
    await page.waitForSelector('.way');
    await page.setViewportSize({ width: 1280, height: 1100 });
    await page.evaluate(() =>
      document.documentElement.querySelector('.app').style.setProperty('--below', '700px'),
    );
    await page.locator('.below').screenshot({ path: path.join(folder, 'lab-tables.png') });
  } finally {
    await browser.close();
    server.kill();
  }
}

await setup({ tests: true });
mkdirSync(folder, { recursive: true });
const debuggerScreen = new Terminal(100, 32);
let stepped;
try {
  debuggerScreen.type('terrarium debug test/guests/debugged-long.S --mode long --engine soft');
  debuggerScreen.press('Enter');
  await debuggerScreen.sees(/stopped/);
  for (let n = 0; n < 6; n++) {
    debuggerScreen.press('s');
    await pause(300);
  }
  await debuggerScreen.sees(/stopped/);
  stepped = svg(100, 32, drawn(debuggerScreen.capture()));
} finally {
  debuggerScreen.close();
}
await toPng([
  ['debugger', stepped],
  ['trace', await shown(164, 30, 'terrarium run guests/lj-kernel2 --engine soft --trace >/dev/null')],
  [
    'why',
    await shown(
      100,
      48,
      'terrarium run guests/mistakes/missing-page-table/missing-page-table.S --engine soft',
    ),
  ],
]);
await lab(folder);
writeFileSync(path.join(folder, 'session.svg'), await session(90, 28));
for (const [name, ...args] of [
  ['vga-text', 'run', 'guests/vga-text', '--engine', 'soft', '--screenshot'],
  ['vga-plasma', 'run', 'guests/vga-plasma', '--engine', 'soft', '--screenshot'],
]) {
  const [command, guest, ...rest] = args;
  execFileSync(
    process.execPath,
    ['dist/cli.cjs', command, guest, ...rest, path.join(folder, `${name}.png`)],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
}
process.stderr.write(`terrarium: the pictures are in ${folder}\n`);
