/** The documentation is true: every command in it runs, and every program in it has the shown output. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { transformSync } from 'esbuild';
import { runCommand } from '../support/command.js';
import { cli, HANGS_MS, noGcc, noKvm, root, Scratch } from '../support.js';

/** Commands that other tests cover, or that only a person can end. */
const untested = [
  /^npm (test|run|install|pack|start)\b/,
  /^npx /,
  /^sudo /,
  /^terrarium attach/,
  /^git /,
  / --screen\b/,
  / --install-vscode\b/,
  // test/tui/docs.test.ts runs these in a terminal.
  /^terrarium debug /,
];

const pages = ['README.md', 'SPECIFICATION.md', ...markdown('docs'), ...markdown('guests')];

function markdown(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join(folder, file))
    .sort();
}

function sources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file));
}

/** The fenced blocks of one language. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, block]) => block!,
  );
}

/** In the shell, `terrarium …` is this checkout's command. */
const prelude = `
terrarium() { "${process.execPath}" "${cli}" "$@"; }
`;

/** Named machines only of this page: no others are listed, stopped or removed. */
const environment = (cwd: string) => ({ ...process.env, NO_COLOR: '1', XDG_RUNTIME_DIR: cwd });

/** A command line as a reader types it: a line that is only a command needs no shell and no separate process. */
async function run(line: string, cwd: string): Promise<{ status: number | null; stderr: string }> {
  const words = plainWords(line);
  if (words === undefined) return runInShell(line, cwd);
  const ended = runCommand(words, { input: '', cwd, env: environment(cwd), timeoutMs: HANGS_MS });
  assert.notEqual(ended.status, null, `${line} does not end: say in its comment that Ctrl-C ends it`);
  return ended;
}

/** The words after `terrarium`; undefined for a line with more work for the shell. */
function plainWords(line: string): string[] | undefined {
  const [, rest] = /^terrarium ((?:[\w./:=,@%+-]+|'[^']*'| +)*)$/.exec(line) ?? [];
  return rest?.match(/(?:[^ ']+|'[^']*')+/g)?.map((word) => word.replaceAll("'", ''));
}

async function runInShell(line: string, cwd: string): Promise<{ status: number | null; stderr: string }> {
  const child = spawn('bash', ['-c', `${prelude}${line}`], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    // A separate process group, so that a command that hangs can be ended with its shell.
    detached: true,
    env: environment(cwd),
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  let late = false;
  const impatient = setTimeout(() => {
    late = true;
    process.kill(-child.pid!, 'SIGINT');
  }, HANGS_MS);
  const [status] = (await once(child, 'exit')) as [number | null];
  clearTimeout(impatient);
  // A command that succeeds only when it is interrupted would delay the page by this time.
  assert.ok(!late, `${line} does not end: say in its comment that Ctrl-C ends it`);
  return { status, stderr };
}

/**
 * Commands that run a guest of the repository, or measure, and leave no file: several pages show them, and each runs
 * once.
 */
const isAlike = (line: string): boolean =>
  /^terrarium (?:run guests\/|bench |verify\b|doctor$)/.test(line) &&
  !/[<>|&;]| -o | --(?:name|screenshot|record|from|disk|floppy|cdrom|share|net)\b/.test(line);
const alike = new Map<string, ReturnType<typeof run>>();

function runOnce(line: string, cwd: string): ReturnType<typeof run> {
  if (!isAlike(line)) return run(line, cwd);
  const done = alike.get(line) ?? run(line, cwd);
  alike.set(line, done);
  return done;
}

describe('the commands in the documentation', { skip: noKvm || noGcc }, () => {
  for (const page of pages) {
    const shown = blocks(page, 'sh');
    if (shown.length === 0) continue;
    test(page, async () => {
      using scratch = new Scratch();
      for (const name of ['guests', 'docs', 'test']) symlinkSync(path.join(root, name), scratch.file(name));
      try {
        await runPage(page, shown, scratch.path);
      } finally {
        await run('terrarium stop --all', scratch.path);
      }
    });
  }
});

async function runPage(page: string, shown: readonly string[], cwd: string): Promise<void> {
  for (const line of shown.flatMap((block) => block.split('\n'))) {
    const command = line.replace(/^\$ /, '').trim();
    const bare = command.replace(/\s+#.*$/, '');
    if (bare === '' || bare.startsWith('#') || untested.some((pattern) => pattern.test(bare))) continue;
    if (/Ctrl-C/.test(command)) continue;
    const { status, stderr } = await runOnce(bare, cwd);
    // A command with a limit may reach it.
    const limited = /--(timeout|max-exits)/.test(bare) && status === 124;
    const [, ends] = /#.*\bends with (\d+)/.exec(command) ?? [];
    const told = ends !== undefined ? Number(ends) : limited ? 124 : 0;
    assert.equal(status, told, `${page}: ${bare} ended with ${status}, not ${told}:\n${stderr}`);
  }
}

for (const page of ['README.md', 'docs/debugging.md']) {
  describe(`the program in ${page}`, { skip: noKvm || noGcc }, () => {
    test(`does what ${page} says it prints`, () => {
      const [program] = blocks(page, 'ts');
      const { code } = transformSync(program!, { loader: 'ts', target: 'node20.19', format: 'esm' });
      const file = path.join(root, 'build', `${path.basename(page)}.mjs`);
      writeFileSync(file, code);
      const done = spawnSync(process.execPath, [file], { cwd: root, encoding: 'utf8' });
      rmSync(file);
      const [told] = /^It prints [^.]*/m.exec(readFileSync(page, 'utf8'))!;
      const lines = [...told.matchAll(/`([^`]+)`/g)].map(([, line]) => `${line}\n`);
      assert.equal(done.stdout, lines.join(''), done.stderr);
    });
  });
}

/** The anchors that GitHub makes from a page's headings. */
function anchors(page: string): Set<string> {
  const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  const found = new Set<string>();
  for (const [, heading] of text.matchAll(/^#{1,6} +(.*)$/gm)) {
    const shown = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const name = shown
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    let again = name;
    for (let n = 1; found.has(again); n++) again = `${name}-${n}`;
    found.add(again);
  }
  return found;
}

describe('links in the documentation', () => {
  for (const page of pages) {
    test(`of ${page} have targets`, () => {
      const text = readFileSync(path.join(root, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
      for (const [, target, anchor] of text.matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)) {
        if (/^https?:/.test(target!)) continue;
        const file = target === '' ? path.join(root, page) : path.resolve(root, path.dirname(page), target!);
        assert.ok(existsSync(file), `${page} links to ${target}`);
        if (anchor === undefined || !file.endsWith('.md')) continue;
        assert.ok(
          anchors(file).has(anchor),
          `${page} links to ${target}#${anchor}, and there is no such heading`,
        );
      }
    });
  }
});

describe('the tests and benchmarks that SPECIFICATION.md names', () => {
  const text = readFileSync(path.join(root, 'SPECIFICATION.md'), 'utf8');
  const files = [...sources('src'), ...sources('test')];

  test('exist as tests', () => {
    const named = [...text.matchAll(/`((?:src|test)\/[^`]*\.test\.ts)`/g)].map(([, name]) => name!);
    assert.ok(named.length > 40);
    for (const name of named) {
      const pattern = name
        .replace(/[.]/g, '\\.')
        .replace('**/', '(.*/)?')
        .replace(/(?<!\.)\*/g, '[^/]*');
      assert.ok(
        files.some((file) => new RegExp(`^${pattern}$`).test(file)),
        name,
      );
    }
  });

  test('are named in every row, and rows are numbered in sequence', () => {
    const rows = text.split('\n').filter((line) => /^\| [A-Z]\d+ \|/.test(line));
    const last: Record<string, number> = {};
    for (const row of rows) {
      const [, letter, number] = /^\| ([A-Z])(\d+) \|/.exec(row)!;
      assert.equal(Number(number), (last[letter!] ?? 0) + 1, row);
      last[letter!] = Number(number);
      assert.match(row.split('|').at(-2)!, /`(src|test)\/[^`]*\.test\.ts`|`npm run bench -- [\w-]+`/, row);
    }
    assert.ok(rows.length > 50, `${rows.length} promises`);
  });

  test('exist as benchmarks', () => {
    const main = readFileSync(path.join(root, 'bench/main.ts'), 'utf8');
    for (const [, name] of text.matchAll(/npm run bench -- ([\w-]+)/g))
      assert.match(main, new RegExp(`\\b${name}\\b`));
  });
});
