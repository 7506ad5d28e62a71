/** The page on foreign hosts, and against hostile links. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encodeLink } from '../../src/terra/index.js';
import { noChromium } from '../support/chromium.js';
import { root } from '../support.js';
import { LabBrowser } from './lab-page.js';

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/** A host of static files that sends no headers of its own, as many do. */
async function plainHost(): Promise<Server> {
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://host').pathname.replace(/\/$/, '/index.html');
    const file = path.join(root, 'dist/lab', path.normalize(name));
    if (!existsSync(file)) response.writeHead(404).end();
    else
      response
        .writeHead(200, { 'Content-Type': types[path.extname(file)] ?? 'application/octet-stream' })
        .end(readFileSync(file));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('the lab’s page', { skip: noChromium }, () => {
  let lab: LabBrowser;
  let host: Server;
  let plain: string;

  before(async () => {
    lab = await LabBrowser.start();
    host = await plainHost();
    plain = `http://localhost:${(host.address() as { port: number }).port}/`;
  });

  after(async () => {
    await lab?.[Symbol.asyncDispose]();
    host?.closeAllConnections();
    host?.close();
  });

  test('isolates itself on a host that sends no headers', async () => {
    const context = await lab.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${plain}#hello`);
    await page.waitForSelector('.status[data-status="ready"]', { timeout: 60_000 });
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    await context.close();
  });

  test('reports the missing headers where it cannot be isolated', async () => {
    const context = await lab.browser.newContext({ serviceWorkers: 'block' });
    const page = await context.newPage();
    await page.goto(plain);
    await page.waitForSelector('h1:has-text("may not have shared memory")');
    assert.match((await page.textContent('main')) ?? '', /Cross-Origin-Opener-Policy: same-origin/);
    await context.close();
  });

  test('shows a link’s content as text, and runs no script of it', async () => {
    const evil = `<img src=x onerror="document.title='hit'"><script>document.title='hit'</script>`;
    const link = encodeLink({
      title: evil,
      files: [{ name: 'k.S', text: `// ${evil}\n.code16\nhlt\n` }],
      spec: { mode: 'real', memory: 65536 },
      breakpoints: [],
      inputs: [],
      view: { below: evil.slice(0, 30), nowhere: 'x' },
    });
    const it = await lab.open(`#${link}`);
    await it.page.waitForFunction(() =>
      /onerror/.test(document.querySelector('.cm-content')?.textContent ?? ''),
    );
    assert.ok((await it.page.textContent('.picker'))?.includes(evil));
    assert.equal(await it.page.title(), 'Terrarium lab');
    assert.equal(await it.page.locator('img[src=x]').count(), 0);
  });

  test('explains what is wrong with a link, and continues to work', async () => {
    const good = encodeLink({
      title: 'x',
      files: [{ name: 'k.S', text: 'hlt' }],
      spec: {},
      breakpoints: [],
      inputs: [],
      view: {},
    });
    const it = await lab.open(`#${good.slice(0, -5)}`);
    await it.page.waitForSelector('.notice.bad');
    assert.match((await it.page.textContent('.notice.bad')) ?? '', /cut off or damaged/);
    await it.run();
    assert.equal(await it.status(), 'halted');
  });

  test('works where the browser stores nothing', async () => {
    const context = await lab.browser.newContext();
    await context.addInitScript(() => {
      Object.defineProperty(globalThis, 'localStorage', {
        get() {
          throw new DOMException('refused', 'SecurityError');
        },
      });
    });
    const page = await context.newPage();
    await page.goto(`${lab.origin}/#own`);
    await page.waitForSelector('.status[data-status="ready"]', { timeout: 60_000 });
    await page.keyboard.press('F8');
    await page.waitForSelector('.status[data-status="ended"]', { timeout: 60_000 });
    assert.match((await page.textContent('.notice')) ?? '', /keeps nothing/);
    await context.close();
  });

  test('is shown in another page by <terrarium-lab>', async () => {
    const context = await lab.browser.newContext();
    const page = await context.newPage();
    await page.route('**/blog.html', (route) =>
      route.fulfill({
        contentType: 'text/html',
        headers: {
          'Cross-Origin-Opener-Policy': 'same-origin',
          'Cross-Origin-Embedder-Policy': 'require-corp',
        },
        body: '<!doctype html><title>blog</title><script type="module" src="/embed.js"></script><terrarium-lab src="#hello" height="500"></terrarium-lab>',
      }),
    );
    await page.goto(`${lab.origin}/blog.html`);
    const frame = page.frameLocator('terrarium-lab iframe');
    await frame.locator('.status[data-status="ready"]').waitFor({ timeout: 60_000 });
    assert.equal(await page.getAttribute('terrarium-lab iframe', 'height'), '500');
    assert.match((await frame.locator('.cm-content').textContent()) ?? '', /greeting/);
    await context.close();
  });

  test('adds a dropped disk to the machine', async () => {
    const it = await lab.open();
    // Reads the first sector by the BIOS, and prints its first byte.
    await it.write(`.code16
.globl _start
_start: mov $0x80, %dl
        mov $0x0201, %ax
        mov $1, %cx
        xor %dh, %dh
        mov $0x600, %bx
        int $0x13
        mov 0x600, %al
        out %al, $0xe9
        cli
        hlt
.org 510
.byte 0x55, 0xaa
`);
    const disk = Buffer.alloc(1 << 20);
    disk[0] = 'D'.charCodeAt(0);
    await it.page
      .locator('input[type=file]')
      .setInputFiles({ name: 'boot.S', mimeType: 'text/plain', buffer: Buffer.from(await it.source()) });
    await it.run();
    await it.page
      .locator('input[type=file]')
      .setInputFiles({ name: 'data.img', mimeType: 'application/octet-stream', buffer: disk });
    await it.page.waitForSelector('.notice:has-text("hard disk")');
    await it.run();
    await it.prints('D');
  });
});
