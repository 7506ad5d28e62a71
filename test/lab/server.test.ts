/** The lab's server against unauthorized use: other pages, other names, paths, endless bodies. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type LabServer, serveLab } from '../../src/apps/lab-server/server.js';
import { debian, noDebian } from '../firmware/systems.js';
import { cli, noGcc } from '../support.js';

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

describe('the lab’s server', () => {
  let server: LabServer;

  before(async () => {
    server = await serveLab({ port: 0 });
  });

  after(() => server?.close());

  /** A request exactly as written: `fetch` would normalize paths and hosts. */
  function ask(path: string, { method = 'GET', headers = {}, body = '' } = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: server.port,
          path,
          method,
          headers: { Host: `localhost:${server.port}`, ...headers },
        },
        (response) => {
          let text = '';
          response.setEncoding('latin1');
          response.on('data', (part) => {
            text += part;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          );
        },
      );
      sent.on('error', reject);
      // A server that has answered may close before it has read a whole body.
      sent.on('socket', (socket) => socket.on('error', () => {}));
      sent.end(body);
    });
  }

  const compile = (
    headers: Record<string, string>,
    body = JSON.stringify({
      files: [{ name: 'k.c', text: 'void _start(void) { for (;;) ; }' }],
      mode: 'long',
    }),
  ) =>
    ask('/api/compile', {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
    });

  test('gives the page isolation and a strict policy', async () => {
    const { status, headers, text } = await ask('/');
    assert.equal(status, 200);
    assert.match(text, /<title>Terrarium lab<\/title>/);
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cross-origin-embedder-policy'], 'require-corp');
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';/);
    assert.equal((await ask('/soft.wasm')).headers['content-type'], 'application/wasm');
  });

  test('listens only on the loopback interface', async () => {
    const { networkInterfaces } = await import('node:os');
    const others = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of others) {
      const socket = connect(server.port, address);
      await assert.rejects(once(socket, 'connect'), { code: 'ECONNREFUSED' });
    }
  });

  for (const host of ['evil.example', 'evil.example:80', '127.0.0.1', 'localhost', 'localhost:1'])
    test(`refuses the name '${host}'`, async () => {
      assert.equal((await ask('/', { headers: { Host: host } })).status, 403);
    });

  for (const path of [
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/package.json',
    '/guests/../../package.json',
    '//etc/passwd',
    '/lab.js/../../cli.cjs',
    '/%00',
    '/guests',
  ])
    test(`has no ${path}`, async () => {
      const { status, text } = await ask(path);
      assert.ok(status === 404 || status === 400, String(status));
      assert.doesNotMatch(text, /terrarium-vm|root:/);
    });

  test('compiles for no client without its token, nor for another page with it', async () => {
    assert.equal((await compile({})).status, 403);
    assert.equal((await compile({ 'X-Terrarium-Token': 'A'.repeat(server.token.length) })).status, 403);
    const token = { 'X-Terrarium-Token': server.token };
    assert.equal((await compile({ ...token, Origin: 'http://evil.example' })).status, 403);
    assert.equal((await compile({ ...token, Origin: 'null' })).status, 403);
    assert.equal(
      (await ask('/', { headers: { Origin: `http://localhost:${server.port + 1}` } })).status,
      403,
    );
  });

  test('compiles for its own page', { skip: noGcc }, async () => {
    const good = await compile({
      'X-Terrarium-Token': server.token,
      Origin: `http://localhost:${server.port}`,
    });
    assert.equal(good.status, 200);
    assert.equal(good.text.slice(0, 4), '\x7fELF');
    const bad = await compile(
      { 'X-Terrarium-Token': server.token },
      JSON.stringify({ files: [{ name: 'k.c', text: 'int' }], mode: 'long' }),
    );
    assert.equal(bad.status, 422);
    assert.match(bad.text, /k\.c/);
    const spy = { name: 'k.S', text: '.incbin "/etc/passwd"\n' };
    const refused = await compile(
      { 'X-Terrarium-Token': server.token },
      JSON.stringify({ files: [spy], mode: 'long' }),
    );
    assert.equal(refused.status, 422);
    assert.doesNotMatch(refused.text, /root:/);
  });

  test('refuses invalid requests', async () => {
    const token = { 'X-Terrarium-Token': server.token };
    for (const body of [
      '',
      'x',
      'null',
      '[]',
      '{"files":[]}',
      '{"files":[{"name":"../x.c","text":""}],"mode":"long"}',
      '{"files":[{"name":"x.c","text":""}],"mode":"rm"}',
    ])
      assert.equal((await compile(token, body)).status, 400, body);
    assert.equal((await ask('/', { method: 'DELETE' })).status, 405);
  });

  test('reads no more of a body than it accepts', async () => {
    const token = { 'X-Terrarium-Token': server.token };
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `POST /api/compile HTTP/1.1\r\nHost: localhost:${server.port}\r\nX-Terrarium-Token: ${server.token}\r\nContent-Length: 1073741824\r\n\r\n`,
    );
    const [first] = await once(socket, 'data');
    assert.match(String(first), /^HTTP\/1\.1 413 /);
    socket.destroy();
    assert.equal((await compile(token, 'x'.repeat(5 << 20))).status, 413);
  });

  test('reports a port that is in use', async () => {
    await assert.rejects(serveLab({ port: server.port }), { code: 'ELAB', message: /port \d+: it is taken/ });
  });

  test('offers a kernel and an initial file system with its token alone', { skip: noDebian }, async () => {
    const other = await serveLab({ port: 0, linux: debian! });
    try {
      const get = (path: string, token?: string) =>
        fetch(`http://localhost:${other.port}/api/linux${path}`, {
          headers: token === undefined ? {} : { 'X-Terrarium-Token': token },
        });
      for (const path of ['', '/kernel', '/initrd']) assert.equal((await get(path)).status, 403, path);
      assert.match(await (await get('', other.token)).text(), /"name":"Linux \d/);
      const kernel = new Uint8Array(await (await get('/kernel', other.token)).arrayBuffer());
      assert.deepEqual(Buffer.from(kernel), readFileSync(debian!.kernel));
      const initrd = Buffer.from(await (await get('/initrd', other.token)).arrayBuffer());
      assert.equal(initrd.toString('latin1', 0, 6), '070701');
      assert.equal((await get('/passwd', other.token)).status, 404);
    } finally {
      await other.close();
    }
  });
});

describe('terrarium lab', () => {
  test('prints its address, serves the page, and ends with Ctrl-C', async () => {
    const child = spawn(process.execPath, [cli, 'lab', '--port', '0', '--no-open'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
    const url = new URL(String(line).trim());
    assert.equal(url.hostname, 'localhost');
    assert.match(url.searchParams.get('token') ?? '', /^[\w-]{32}$/);
    assert.equal((await fetch(url)).status, 200);
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
