/** A debug adapter that others can reach: who may debug with it, and whose modules it runs. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { cli, root, Scratch } from '../support.js';

const framed = (body: object) => {
  const text = JSON.stringify({ seq: 1, type: 'request', ...body });
  return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
};
const launch = (args: object) =>
  framed({ command: 'launch', arguments: { program: 'guests/hello', engine: 'soft', ...args } });
const initialize = framed({ command: 'initialize', arguments: { adapterID: 'terrarium' } });

/** An adapter that listens, and its output when it was ready. */
class Adapter implements AsyncDisposable {
  readonly #child: ChildProcess;
  said = '';

  private constructor(args: readonly string[], env: Record<string, string>) {
    this.#child = spawn(process.execPath, [cli, 'dap', ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  /** @param until the last output before it waits */
  static async start(args: readonly string[], until: RegExp, env = {}): Promise<Adapter> {
    const adapter = new Adapter(args, env);
    for await (const text of adapter.#child.stderr!) {
      adapter.said += text;
      if (until.test(adapter.said)) break;
    }
    return adapter;
  }

  get port(): number {
    return Number(/127\.0\.0\.1:(\d+)/.exec(this.said)![1]);
  }

  get token(): string {
    return /"token": "([^"]+)"/.exec(this.said)![1]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    assert.equal(this.#child.exitCode, null, 'the adapter ended by itself');
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** All answers to some bytes, up to the connection's end of any kind, or up to a match of `until`. */
function answer(socket: Socket, bytes: string, until?: RegExp): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.on('data', (chunk) => {
      text += chunk;
      if (until?.test(text)) socket.destroy();
    });
    socket.write(bytes);
  });
}

const TOKEN_SAID = /"token": ".*"\n/;

describe('a debug adapter at a port', () => {
  test('starts nothing for a client without its token, and closes the connection', async () => {
    await using adapter = await Adapter.start(['--port', '0'], TOKEN_SAID);
    for (const token of [undefined, '', 'wrong', 7, null, [adapter.token]]) {
      const said = await answer(connect(adapter.port, '127.0.0.1'), initialize + launch({ token }));
      assert.match(said, /"supportsDisassembleRequest":true/);
      assert.match(said, /"success":false.*token/, String(token));
      assert.doesNotMatch(said, /initialized/);
    }
    for (const command of ['threads', 'evaluate', 'readMemory', 'restart', 'nothing']) {
      const said = await answer(connect(adapter.port, '127.0.0.1'), framed({ command, arguments: {} }));
      assert.match(said, /accepts no request without its token/, command);
    }
  });

  test('launches for a client that sends it in its first request with an effect', async () => {
    await using adapter = await Adapter.start(['--port', '0'], TOKEN_SAID);
    const { port, token } = adapter;
    assert.match(token, /^[\da-f]{32}$/);
    const said = await answer(
      connect(port, '127.0.0.1'),
      initialize + launch({ token }),
      /"event":"initialized"/,
    );
    assert.match(said, /"event":"initialized"/);
    const early = framed({ command: 'initialize', arguments: { token } });
    await answer(connect(port, '127.0.0.1'), early + launch({}), /"event":"initialized"/);
  });

  test('accepts a token of its owner, which it does not print', async () => {
    const env = { TERRARIUM_DAP_TOKEN: 'of-my-own' };
    await using adapter = await Adapter.start(['--port', '0'], /Ctrl-C/, env);
    assert.doesNotMatch(adapter.said, /of-my-own/);
    const { port } = adapter;
    await answer(connect(port, '127.0.0.1'), launch({ token: 'of-my-own' }), /"event":"initialized"/);
  });

  test('does not answer HTTP, with which a page of any origin can send it a message', async () => {
    await using adapter = await Adapter.start(['--port', '0'], TOKEN_SAID);
    const body = JSON.stringify({ seq: 1, type: 'request', command: 'initialize', arguments: {} });
    // The bytes that a browser sends for fetch(url, { method: 'POST', mode: 'no-cors', body }).
    const post = `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    assert.equal(await answer(connect(adapter.port, '127.0.0.1'), post), '');
    const hidden = `Content-Type: x\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    assert.equal(await answer(connect(adapter.port, '127.0.0.1'), hidden), '');
  });

  test('runs no module that its command line does not name', async () => {
    using scratch = new Scratch();
    const mark = scratch.file('it-ran');
    const source = `import { writeFileSync } from 'node:fs';
      export default () => { writeFileSync(${JSON.stringify(mark)}, ''); return { name: 'marks' }; };`;
    for (const name of ['named.mjs', 'other.mjs']) writeFileSync(scratch.file(name), source);
    const named = scratch.file('named.mjs');
    await using adapter = await Adapter.start(['--port', '0', '--device', named], TOKEN_SAID);
    const { port, token } = adapter;
    const other = scratch.file('other.mjs');
    for (const args of [{ device: other }, { hypercalls: other }, { args: ['--device', other] }]) {
      const said = await answer(connect(port, '127.0.0.1'), launch({ ...args, token }), /"success":false/);
      assert.ok(said.includes(`${pathToFileURL(other).href} may not run in this adapter`), said);
    }
    assert.ok(!existsSync(mark));
    await answer(connect(port, '127.0.0.1'), launch({ device: named, token }), /"event":"initialized"/);
    assert.ok(existsSync(mark));
  });
});

describe('a debug adapter at a socket', () => {
  test('is only for its owner, who needs no token', async () => {
    using scratch = new Scratch();
    const file = scratch.file('dap.sock');
    await using _adapter = await Adapter.start(['--socket', file], /Ctrl-C/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await answer(connect(file), launch({}), /"event":"initialized"/);
  });
});
