import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { openConnection } from './client.js';
import { ConsoleHistory } from './history.js';
import { MAX_CONNECTIONS, MAX_LINE, type MachineEnd } from './protocol.js';
import { type Controlled, ControlServer } from './server.js';

const end: MachineEnd = { kind: 'halted', reason: 'over', exits: 3, elapsedMs: 1, status: 0, endedAt: 1 };

/** A control socket before a machine that writes down what is done to it. */
class Bench implements AsyncDisposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'terrarium-server-'));
  readonly path = path.join(this.folder, 'socket');
  readonly history = new ConsoleHistory(64 * 1024);
  readonly typed: Buffer[] = [];
  stops = 0;
  presses = 0;
  hasButton = true;
  /** False: the guest does not read its serial port. */
  reads = true;
  readonly server: ControlServer;

  constructor() {
    const machine: Controlled = {
      status: () => ({
        ...{ name: 'web', pid: 7, image: 'k', engine: 'kvm', state: 'running', startedAt: 5 },
        ...{ exits: 1, coalesced: 2 },
      }),
      stop: async () => {
        this.stops++;
      },
      pressPowerButton: () => {
        this.presses++;
        return this.hasButton;
      },
      send: async (bytes) => {
        if (!this.reads) await new Promise(() => {});
        this.typed.push(Buffer.from(bytes));
      },
    };
    this.server = new ControlServer(this.path, machine, this.history);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close(undefined);
    rmSync(this.folder, { recursive: true, force: true });
  }

  print(text: string | Uint8Array): void {
    this.history.write(typeof text === 'string' ? Buffer.from(text) : text);
    this.server.printed();
  }

  /** A peer that has attached itself and reads no more. */
  async deafPeer(): Promise<Peer> {
    const peer = await this.peer();
    peer.socket.write('{"id":1,"do":"attach"}\n');
    await peer.until((messages) => messages.length === 2);
    peer.socket.pause();
    return peer;
  }

  /** A peer that speaks bytes. */
  async peer(): Promise<Peer> {
    const socket = connect(this.path);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return new Peer(socket);
  }
}

class Peer {
  readonly socket: Socket;
  text = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk;
    });
  }

  get messages(): Record<string, unknown>[] {
    const lines = this.text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async until(enough: (messages: Record<string, unknown>[]) => boolean): Promise<Record<string, unknown>[]> {
    while (!enough(this.messages)) await once(this.socket, 'data');
    return this.messages;
  }
}

const bye = (messages: Record<string, unknown>[]) => messages.some(({ event }) => event === 'bye');

describe('a control socket', () => {
  test('presses the power button, or says that there is none', async () => {
    await using bench = new Bench();
    await bench.server.listen();
    const peer = await bench.peer();
    peer.socket.write('{"id":1,"do":"power"}\n');
    const [, pressed] = await peer.until((messages) => messages.length === 2);
    assert.deepEqual(pressed, { id: 1, ok: null });
    bench.hasButton = false;
    peer.socket.write('{"id":2,"do":"power"}\n');
    const [, , none] = await peer.until((messages) => messages.length === 3);
    assert.equal((none!.error as { code: string }).code, 'ENOBUTTON');
    assert.equal(bench.presses, 2);
  });

  test('greets, answers in order, and accepts only its user', async () => {
    await using bench = new Bench();
    await bench.server.listen();
    assert.equal(statSync(bench.path).mode & 0o777, 0o600);
    const peer = await bench.peer();
    peer.socket.write('{"id":1,"do":"status"}\n{"id":2,"do":"dance"}\n{"id":3,"do":"stop"}\n');
    const said = await peer.until((messages) => messages.length === 4);
    assert.deepEqual(said[0], { terrarium: 1, name: 'web', pid: 7 });
    const status = said.find(({ id }) => id === 1)!.ok as Record<string, unknown>;
    assert.deepEqual([status.name, status.exits, status.printed, status.attached], ['web', 1, 0, 0]);
    assert.equal((said.find(({ id }) => id === 2)!.error as { code: string }).code, 'EUNKNOWN');
    assert.equal(said.find(({ id }) => id === 3)!.ok, null);
    assert.equal(bench.stops, 1);
  });

  test('shows the console to all who are attached, from where each asked', async () => {
    await using bench = new Bench();
    await bench.server.listen();
    bench.print('before ');
    const seen: string[] = ['', ''];
    const clients = [];
    for (const [i, replay] of [0, 4].entries()) {
      const client = await openConnection(bench.path, 1000);
      clients.push(client);
      await client.attach(replay, {
        onOutput(bytes) {
          seen[i] += Buffer.from(bytes).toString();
        },
      });
    }
    bench.print('after');
    await bench.server.close(end);
    for (const client of clients) assert.deepEqual(await client.ended, end);
    assert.deepEqual(seen, ['after', 'ore after']);
  });

  test('passes what is typed on in order, byte for byte', async () => {
    await using bench = new Bench();
    await bench.server.listen();
    using client = await openConnection(bench.path, 1000);
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31) & 0xff));
    await client.send(bytes);
    assert.ok(Buffer.concat(bench.typed).equals(bytes));
  });

  for (const [what, bytes] of [
    ['garbage', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['JSON that is no request', '[1,2,3]\n'],
    ['a line over the limit', `{"id":1,"do":"${'x'.repeat(MAX_LINE)}"}\n`],
    ['bytes without a newline', Buffer.alloc(MAX_LINE + 1)],
  ] as const) {
    test(`closes the connection on ${what}`, async () => {
      await using bench = new Bench();
      await bench.server.listen();
      const peer = await bench.peer();
      const closed = once(peer.socket, 'close');
      peer.socket.write(bytes);
      await closed;
      assert.ok(bye(peer.messages), peer.text);
    });
  }

  test('cuts off a peer that sends without end, and does not grow', async () => {
    await using bench = new Bench();
    await bench.server.listen();
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const before = process.memoryUsage();
    let sent = 0;
    const peer = await bench.peer();
    for (; sent < 1024 && !peer.socket.destroyed; sent++) {
      await new Promise((resolve) => peer.socket.write(chunk, resolve));
    }
    const after = process.memoryUsage();
    // Some of it is on its way in the kernel's buffers.
    assert.ok(sent < 8, `took ${sent} MiB`);
    assert.ok(after.rss - before.rss < 64 * 1024 * 1024, `${(after.rss - before.rss) / 2 ** 20} MiB more`);
  });

  test('drops data that a slow reader does not read, reports how much, and never waits for it', async () => {
    await using bench = new Bench();
    await bench.server.listen();
    const peer = await bench.deafPeer();
    const before = process.memoryUsage();
    const line = Buffer.from(Array.from({ length: 64 }, (_, i) => `${i % 10}`).join(''));
    const total = 64 * 1024 * 1024;
    for (let printed = 0; printed < total; printed += 16 * 1024) {
      bench.print(Buffer.concat(Array(256).fill(line)));
      if (printed % (1024 * 1024) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const { rss } = process.memoryUsage();
    assert.ok(rss - before.rss < 96 * 1024 * 1024, `${(rss - before.rss) / 2 ** 20} MiB more`);
    peer.socket.resume();
    const closed = once(peer.socket, 'close');
    await bench.server.close(end);
    await closed;
    const seen = peer.messages.filter(({ event }) => event === 'console');
    const bytes = seen.reduce((sum, { data }) => sum + Buffer.from(data as string, 'base64').length, 0);
    const lost = peer.messages.filter(({ event }) => event === 'lost');
    assert.ok(lost.length > 0);
    assert.equal(bytes + lost.reduce((sum, message) => sum + (message.bytes as number), 0), total);
    assert.deepEqual(peer.messages.at(-1), { event: 'end', end });
  });

  test('does not answer a peer that fetches no answers, without end', async () => {
    await using bench = new Bench();
    await bench.server.listen();
    const peer = await bench.peer();
    peer.socket.pause();
    const requests = '{"id":1,"do":"status"}\n'.repeat(1000);
    let written = 0;
    for (let blocked = false; !blocked && written < 4000; written++) {
      blocked = await new Promise<boolean>((resolve) => {
        const late = setTimeout(() => resolve(true), 300);
        peer.socket.write(requests, () => {
          clearTimeout(late);
          resolve(false);
        });
      });
    }
    assert.ok(written < 4000, 'it was never held back');
    peer.socket.destroy();
  });

  test('accepts a limited number of connections, and reports the limit', async () => {
    await using bench = new Bench();
    await bench.server.listen();
    const peers = [];
    for (let i = 0; i < MAX_CONNECTIONS; i++) peers.push(await bench.peer());
    await Promise.all(peers.map((peer) => peer.until((messages) => messages.length === 1)));
    await assert.rejects(openConnection(bench.path, 1000), { code: 'EBUSY' });
    const closed = once(peers[0]!.socket, 'close');
    peers[0]!.socket.end();
    await closed;
    using again = await openConnection(bench.path, 1000);
    assert.equal((await again.status()).name, 'web');
    for (const { socket } of peers) socket.destroy();
  });

  test('is stopped even while its guest takes no input, and bounds what waits', async () => {
    await using bench = new Bench();
    bench.reads = false;
    await bench.server.listen();
    const peer = await bench.peer();
    const data = Buffer.alloc(30_000).toString('base64');
    for (let id = 1; id <= 8; id++) peer.socket.write(`${JSON.stringify({ id, do: 'input', data })}\n`);
    peer.socket.write('{"id":9,"do":"stop"}\n');
    const said = await peer.until((messages) => messages.some(({ id }) => id === 9));
    assert.equal(bench.stops, 1);
    const full = said.filter(({ error }) => (error as { code: string } | undefined)?.code === 'EFULL');
    assert.ok(full.length >= 4, JSON.stringify(said));
    peer.socket.destroy();
    await once(peer.socket, 'close');
    using other = await openConnection(bench.path, 1000);
    assert.equal((await other.status()).name, 'web');
  });

  test('lets its machine go although a peer reads nothing', async () => {
    await using bench = new Bench();
    await bench.server.listen();
    const peer = await bench.deafPeer();
    for (let i = 0; i < 64; i++) bench.print(Buffer.alloc(64 * 1024, '.'));
    // The peer never ends its side: waiting for it would take forever.
    await bench.server.close(end);
    assert.equal(peer.socket.readableEnded, false);
    peer.socket.destroy();
  });
});
