/** Connections that come, go and vanish, to a machine on a thread of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseImage } from '../../boot/index.js';
import { type HostedMachine, hostMachine } from '../../runtime/index.js';
import { packet } from '../gdb/packets.js';
import { GdbClient } from '../gdb/testing.js';
import { testEngines } from '../testing.js';
import { type GdbServer, MAX_CONNECTIONS, serveGdb } from './listen.js';

/** 1: inc %ax; jmp 1b */
const endless = parseImage(Uint8Array.of(0x40, 0xeb, 0xfd), 'endless');
/** Sets the interrupt controllers up, with all lines masked but the keyboard's; sti; 1: hlt; jmp 1b */
const waits = parseImage(
  Uint8Array.from(
    [
      [0x11, 0x20],
      [0x20, 0x21],
      [0x04, 0x21],
      [0x01, 0x21],
      [0xfd, 0x21],
    ]
      .flatMap(([value, port]) => [0xb0, value!, 0xe6, port!])
      .concat([0xfb, 0xf4, 0xeb, 0xfd]),
  ),
  'waits',
);
/** 1: incl 0x500; jmp 1b */
const counts = parseImage(Uint8Array.of(0x66, 0xff, 0x06, 0x00, 0x05, 0xeb, 0xf9), 'counts');
/** nop; hlt with interrupts off */
const short = parseImage(Uint8Array.of(0x90, 0xf4), 'short');

async function serve(
  engine: 'soft' | 'kvm',
  image: typeof endless,
  use: (server: GdbServer, machine: HostedMachine) => Promise<void>,
): Promise<void> {
  await using machine = await hostMachine({ engine, image, mode: 'real', load: 0x7c00, debug: true });
  const server = await serveGdb(machine.debugTarget(), { port: 0 });
  try {
    await use(server, machine);
  } finally {
    await server.close();
  }
}

for (const { engine, skip } of testEngines) {
  describe(`a guest that is served to gdb on ${engine}`, { skip }, () => {
    const withServer = (image: typeof endless, use: Parameters<typeof serve>[2]) => serve(engine, image, use);

    test('is interrupted while it runs', async () => {
      await withServer(endless, async ({ where }) => {
        using client = await GdbClient.connect(where);
        for (let n = 0; n < 20; n++) {
          const stopped = client.ask('c');
          // Before the guest runs, and while it does.
          setTimeout(() => client.socket.write('\x03'), n % 3);
          assert.equal(await stopped, 'T02thread:1;');
        }
        // Too late: what runs next is not stopped by it.
        client.socket.write('\x03');
        assert.equal(await client.ask('s'), 'T05thread:1;');
      });
    });

    test('stops where its gdb vanishes while it runs, and the next one finds no breakpoint', async () => {
      await withServer(endless, async ({ where }) => {
        for (const last of ['c', 's', 'vCont;r7c00,7c10:1']) {
          using client = await GdbClient.connect(where);
          await client.ask('Z0,7f00,1');
          void client.ask(last);
          await new Promise((resolve) => setTimeout(resolve, 10));
          client.socket.destroy();
        }
        using client = await GdbClient.connect(where);
        const registers = await client.ask('g');
        assert.equal(await client.ask('g'), registers, 'it runs');
      });
    });

    test('stops where its gdb disconnects in an endless step', async () => {
      await withServer(waits, async ({ where }) => {
        {
          using client = await GdbClient.connect(where);
          for (let n = 0; n < 11; n++) await client.ask('s');
          // HLT: the step ends with an interrupt, and none comes.
          void client.ask('s');
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        using client = await GdbClient.connect(where);
        assert.equal(await client.ask('?'), 'T05thread:1;');
        const stopped = client.ask('s');
        setTimeout(() => client.socket.write('\x03'), 20);
        assert.equal(await stopped, 'T02thread:1;', 'it still waits there');
      });
    });

    test('accepts only this computer, and by a socket only its owner', async () => {
      await withServer(endless, async ({ where }, machine) => {
        const port = Number(where.slice(1));
        const others = Object.values(networkInterfaces())
          .flatMap((list = []) => list)
          .filter(({ internal, family }) => !internal && family === 'IPv4');
        for (const { address } of others) {
          const socket = connect(port, address);
          const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
          assert.equal(error.code, 'ECONNREFUSED', address);
        }
        const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-gdb-'));
        try {
          const file = path.join(folder, 'gdb.sock');
          const server = await serveGdb(machine.debugTarget(), { path: file });
          assert.equal(statSync(file).mode & 0o777, 0o600);
          await server.close();
        } finally {
          rmSync(folder, { recursive: true });
        }
      });
    });

    test('has one gdb at a time', async () => {
      await withServer(endless, async ({ where }) => {
        using first = await GdbClient.connect(where);
        await first.ask('?');
        using second = await GdbClient.connect(where);
        second.socket.write('+');
        await second.closed;
        assert.equal(await first.ask('qC'), 'QC1');
      });
    });

    test('lets a peer go whose bytes are not gdb’s, before they change anything', async () => {
      await withServer(endless, async ({ where }) => {
        const write = `${packet('M7c00,2:f4f4')}${packet('k')}`;
        for (const text of [
          'GET / HTTP/1.1\r\n\r\n',
          // What a page of any origin can have a browser send.
          `POST / HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: ${write.length}\r\n\r\n${write}`,
          '\x16\x03\x01',
          '\0'.repeat(100_000),
          `+x${write}`,
        ]) {
          using client = await GdbClient.connect(where);
          client.socket.write(text);
          await client.closed;
        }
        using client = await GdbClient.connect(where);
        assert.equal(await client.ask('m7c00,2'), '40eb');
      });
    });

    test('lets peers go that say nothing, who cannot take all its connections', async () => {
      await using machine = await hostMachine({
        engine,
        image: endless,
        mode: 'real',
        load: 0x7c00,
        debug: true,
      });
      const server = await serveGdb(machine.debugTarget(), { port: 0 }, { silenceMs: 500 });
      try {
        const silent: GdbClient[] = [];
        for (let n = 0; n <= MAX_CONNECTIONS; n++) silent.push(await GdbClient.connect(server.where));
        // One too many is let go at once, and all of them after a while.
        await Promise.all(silent.map(({ closed }) => closed));
        using client = await GdbClient.connect(server.where);
        assert.equal(await client.ask('?'), 'T05thread:1;');
      } finally {
        await server.close();
      }
    });

    test('has so many connections and no more', async () => {
      await withServer(endless, async ({ where }) => {
        const silent: GdbClient[] = [];
        for (let n = 0; n <= MAX_CONNECTIONS; n++) silent.push(await GdbClient.connect(where));
        const gone = await Promise.race(silent.map(({ closed }, n) => closed.then(() => n)));
        assert.equal(gone, MAX_CONNECTIONS, 'the last one, not one that has waited too long');
        for (const client of silent) client[Symbol.dispose]();
      });
    });

    test('survives peers that send half a packet, and vanish', async () => {
      await withServer(endless, async ({ where }) => {
        for (const text of ['$', '$m0,', '$'.repeat(100_000)]) {
          using client = await GdbClient.connect(where);
          await new Promise<void>((resolve) => client.socket.write(text, () => resolve()));
        }
        using client = await GdbClient.connect(where);
        assert.equal(await client.ask('?'), 'T05thread:1;');
      });
    });

    test('runs on while somebody connects who is no gdb, or says nothing', async () => {
      await withServer(counts, async ({ where }, machine) => {
        {
          using client = await GdbClient.connect(where);
          await client.ask('D');
          await client.closed;
        }
        using silent = await GdbClient.connect(where);
        using foreign = await GdbClient.connect(where);
        foreign.socket.write('HEAD / HTTP/1.0\r\n\r\n');
        await foreign.closed;
        const count = () => machine.memory.readBytes(0x500, 4).join();
        for (let n = 0; n < 3; n++) {
          const before = count();
          while (count() === before) await new Promise((resolve) => setTimeout(resolve, 1));
        }
        using client = await GdbClient.connect(where);
        assert.equal(await client.ask('?'), 'T05thread:1;');
        silent.socket.destroy();
      });
    });

    test('runs on after detach, and stops for the next gdb', async () => {
      await withServer(endless, async ({ where }) => {
        {
          using client = await GdbClient.connect(where);
          assert.equal(await client.ask('D'), 'OK');
          await client.closed;
        }
        using client = await GdbClient.connect(where);
        const registers = await client.ask('g');
        assert.equal(await client.ask('g'), registers);
      });
    });

    test('is over when it ends while no gdb is attached, when it is killed, and when its server is closed', async () => {
      await withServer(short, async (server, machine) => {
        using client = await GdbClient.connect(server.where);
        await client.ask('D');
        await server.done;
        assert.equal((await machine.debugOutcome()).kind, 'halted');
      });
      await withServer(endless, async (server, machine) => {
        using client = await GdbClient.connect(server.where);
        await client.ask('s');
        void client.ask('k');
        await server.done;
        assert.equal((await machine.debugOutcome()).reason, 'ended by the debugger');
      });
      await withServer(endless, async (server, machine) => {
        using client = await GdbClient.connect(server.where);
        void client.ask('c');
        await new Promise((resolve) => setTimeout(resolve, 20));
        await server.close();
        await client.closed;
        assert.equal((await machine.debugOutcome()).kind, 'stopped');
      });
    });
  });
}
