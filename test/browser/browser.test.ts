/** Guests in a real browser have the same results as in Node, to the bit. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import * as terrarium from '../../src/browser/index.js';
import { softProgram } from '../../src/engine/soft/host/testing.js';
import { readGuestImage, readGuests } from '../guests/catalogue.js';
import { noChromium, startChromium } from '../support/chromium.js';
import { root, Scratch } from '../support.js';
import { type GuestResult, type GuestToRun, runGuest } from './run-guest.js';

/** Guests that end by themselves, on devices that a browser also has. */
const guests = readGuests().filter(
  ({ expect, simvirtio, regions, machine, vga = false, keys }) =>
    expect.outcome !== 'timeout' &&
    simvirtio === undefined &&
    regions === undefined &&
    keys === undefined &&
    machine === undefined &&
    !vga,
);

function toRun(guest: (typeof guests)[number]): GuestToRun {
  const { name, mode, memory, load, input, irqchip } = guest;
  return {
    name,
    mode: mode === 'auto' ? 'long' : mode,
    memory,
    image: [...readGuestImage(guest)],
    ...(load !== undefined && { load }),
    ...(input !== undefined && { input }),
    interrupts: irqchip === 'user',
  };
}

describe('in a browser', { skip: noChromium }, () => {
  const scratch = new Scratch();
  let server: ChildProcess;
  let url: string;
  let browser: Browser;
  let page: Page;

  before(async () => {
    server = spawn(process.execPath, ['docs/examples/browser/serve.mjs', '0'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    url = await new Promise((resolve) => server.stdout?.once('data', (line) => resolve(String(line).trim())));
    browser = await startChromium(scratch.path);
    page = await browser.newPage();
    await page.goto(url);
  });

  after(async () => {
    await browser?.close();
    server?.kill();
    scratch[Symbol.dispose]();
  });

  /** Runs a guest in the page, in a Worker that all of them share. */
  const runInPage = (guest: GuestToRun) =>
    page.evaluate(async (given) => {
      const held = globalThis as { worker?: Promise<Worker> };
      const answer = (worker: Worker) =>
        new Promise<{ result?: GuestResult; error?: string }>((resolve) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => resolve({ error: message });
        });
      held.worker ??= (async () => {
        const made = new Worker('/build/test/browser/worker.js', { type: 'module' });
        await answer(made);
        return made;
      })();
      const worker = await held.worker;
      const answered = answer(worker);
      worker.postMessage(given);
      return answered;
    }, guest);

  test('the example of docs/browser.md shows the console and the outcome', async () => {
    await page.waitForFunction(() => /^halted/.test(document.querySelector('#outcome')?.textContent ?? ''));
    assert.equal(await page.textContent('#console'), 'Hello, world!\n');
  });

  for (const guest of guests) {
    test(`${guest.name} does the same as in Node`, async () => {
      const given = toRun(guest);
      const node = await runGuest(terrarium, terrarium.softEngine(softProgram()), given);
      const { result, error } = await runInPage(given);
      assert.equal(error, undefined);
      assert.deepEqual(result, node);
    });
  }

  test('hot code is translated, with the same counts', async () => {
    const [on, off] = await page.evaluate(async () => {
      const bundle = '/dist/browser.js';
      const { createMachine, loadSoftEngine } = (await import(bundle)) as typeof terrarium;
      // MOV ECX, 3,000,000; DEC ECX; JNZ; HLT.
      const image = Uint8Array.of(0x66, 0xb9, 0xc0, 0xc6, 0x2d, 0x00, 0x66, 0x49, 0x75, 0xfc, 0xf4);
      const results: (number | string | undefined)[][] = [];
      for (const translate of ['on', 'off'] as const) {
        const engine = await loadSoftEngine('/dist/soft.wasm', { translate });
        const machine = createMachine({ engine, image, mode: 'real' });
        const { kind, translation } = machine.run();
        results.push([kind, machine.cpu.clock?.instructions, translation?.functions]);
      }
      return results;
    });
    assert.deepEqual(on, ['halted', 6_000_002, 1]);
    assert.deepEqual(off, ['halted', 6_000_002, undefined]);
  });

  test('a page that is not isolated gets an error with the requirements', async () => {
    const plain = await browser.newPage();
    await plain.route('**/plain.html', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
    );
    await plain.goto(new URL('/plain.html', url).href);
    const code = await plain.evaluate(async () => {
      const bundle = '/dist/browser.js';
      const { loadSoftEngine } = (await import(bundle)) as typeof terrarium;
      return loadSoftEngine('/dist/soft.wasm').catch((error) => (error as terrarium.TerrariumError).code);
    });
    assert.equal(code, 'EISOLATION');
  });

  test('a missing program is named', async () => {
    const message = await page.evaluate(async () => {
      const bundle = '/dist/browser.js';
      const { loadSoftEngine } = (await import(bundle)) as typeof terrarium;
      return loadSoftEngine('/nowhere.wasm').catch((error) => (error as Error).message);
    });
    assert.match(String(message), /not found at .*\/nowhere\.wasm: 404/);
  });
});

test('the bundle for browsers has no import of Node', {
  skip: !existsSync(path.join(root, 'dist/browser.js')),
}, async () => {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/browser/index.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'esm',
  });
  assert.deepEqual(
    Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external)),
    [],
  );
});
