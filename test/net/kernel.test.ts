/** The kernel's own TCP, UDP and ICMP as the guest of a gateway. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { debian, noDebian } from '../firmware/systems.js';
import { until } from '../support.js';
import { LinuxGuest, noNamespace } from './host-tap.js';

const MIB = 1024 * 1024;

/** A server on the host's loopback. */
async function serve(onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, onSocket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A program for the guest's Node: connects to the gateway's port, and runs `rest`. */
const client = (port: number, rest: string) =>
  `const s = require('node:net').connect({ host: '10.0.2.2', port: ${port}, allowHalfOpen: true }); ${rest}`;

describe('the kernel as guest of a gateway', { skip: noNamespace }, () => {
  test('pings the gateway, with 56 bytes and with more than a frame', { skip: noDebian }, async () => {
    using guest = new LinuxGuest();
    guest.address();
    const small = await guest.run(debian!.busybox, 'ping', '-c', '3', '-A', '10.0.2.2');
    assert.match(small.output, /3 packets received/);
    const large = await guest.run(debian!.busybox, 'ping', '-c', '2', '-A', '-s', '6000', '10.0.2.2');
    assert.match(large.output, /2 packets received/, large.output);
  });

  for (const [size, loses] of [
    [8 * MIB, 0],
    [MIB / 2, 50],
  ] as const)
    test(`sends and receives ${size} bytes by TCP${loses ? `, one frame of ${loses} lost` : ''}`, async () => {
      const bytes = randomBytes(size);
      // An echo: it returns the data, and also the end.
      const { server, port } = await serve((socket) => socket.pipe(socket));
      using guest = new LinuxGuest();
      guest.address();
      let frames = 0;
      if (loses) guest.onFrame = () => ++frames % loses !== 0;
      const script = client(
        port,
        `const h = require('node:crypto').createHash('sha256');
        process.stdin.pipe(s); s.on('data', (b) => h.update(b)); s.on('end', () => console.log(h.digest('hex')));`,
      );
      const child = guest.start(process.execPath, '-e', script);
      let output = '';
      child.stdout!.on('data', (text) => (output += text));
      child.stderr!.on('data', (text) => (output += text));
      child.stdin!.end(bytes);
      await once(child, 'close');
      assert.equal(output.trim(), digest(bytes));
      server.close();
      await until('an empty gateway', () => guest.gateway.holds.connections === 0);
    });

  test('gets an error for a port without a listener', async () => {
    const { server, port } = await serve(() => {});
    server.close();
    using guest = new LinuxGuest();
    guest.address();
    const { output } = await guest.run(
      process.execPath,
      '-e',
      client(port, "s.on('error', (e) => console.log(e.code))"),
    );
    assert.equal(output.trim(), 'ECONNREFUSED');
  });

  test('a closed gateway refuses outside connections, and accepts forwarded ones', async () => {
    using guest = new LinuxGuest({ isOpen: false });
    guest.address();
    const { server, port } = await serve(() => {});
    const refused = await guest.run(
      process.execPath,
      '-e',
      client(port, "s.on('error', (e) => console.log(e.code))"),
    );
    assert.equal(refused.output.trim(), 'ECONNREFUSED');
    server.close();
  });

  test('is reached from outside, closes its half, and continues receiving', async () => {
    using guest = new LinuxGuest();
    guest.address();
    // The guest closes its sending half at once, and counts the received bytes.
    const script = `require('node:net').createServer({ allowHalfOpen: true }, (s) => {
      let n = 0; s.end('hello'); s.on('data', (b) => (n += b.length)); s.on('end', () => { console.log(n); process.exit(); });
    }).listen(80, () => console.log('ready'))`;
    const child = guest.start(process.execPath, '-e', script);
    let output = '';
    child.stdout!.on('data', (text) => (output += text));
    await until('the guest to listen', () => /ready/.test(output));
    const { server, port } = await serve((socket) => {
      socket.pause();
      const accepted = guest.gateway.accept(80, (events) => guest.outside.accepted(socket, events));
      assert.equal(accepted, true);
    });
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let got = '';
    socket.on('data', (text) => (got += text));
    await once(socket, 'end');
    assert.equal(got, 'hello');
    socket.end(randomBytes(3_000_000));
    await once(child, 'close');
    assert.match(output, /3000000/);
    server.close();
  });

  test('a peer that never reads makes the guest wait, with little memory', async () => {
    const { server, port } = await serve((socket) => socket.pause());
    using guest = new LinuxGuest();
    guest.address();
    const child = guest.start(
      process.execPath,
      '-e',
      client(
        port,
        "const b = Buffer.alloc(65536); let n = 0; const w = () => { while (s.write(b)); }; s.on('drain', w); s.on('connect', w);",
      ),
    );
    let most = 0;
    let seen = -1;
    let same = 0;
    await until('the guest to wait', () => {
      const { bytes } = guest.gateway.holds;
      most = Math.max(most, bytes);
      same = bytes === seen && bytes > 0 ? same + 1 : 0;
      seen = bytes;
      return same > 20;
    });
    assert.ok(most <= 512 * 1024, `${most} bytes`);
    child.kill('SIGKILL');
    await once(child, 'close');
    server.close();
  });

  test('a guest that never reads makes the host wait', async () => {
    let sent = 0;
    let held = false;
    const { server, port } = await serve((socket) => {
      const bytes = Buffer.alloc(65_536);
      const write = () => {
        for (;;) {
          sent += bytes.length;
          if (!socket.write(bytes)) break;
        }
        held = true;
      };
      socket.on('drain', () => {
        held = false;
        write();
      });
      socket.on('error', () => {});
      write();
    });
    using guest = new LinuxGuest();
    guest.address();
    const child = guest.start(
      process.execPath,
      '-e',
      client(port, 's.pause(); setInterval(() => {}, 1000);'),
    );
    let [seen, same] = [-1, 0];
    await until('the host to wait', () => {
      same = sent === seen && held ? same + 1 : 0;
      seen = sent;
      return same > 20;
    });
    assert.ok(guest.gateway.holds.bytes <= 512 * 1024);
    child.kill('SIGKILL');
    await once(child, 'close');
    server.close();
  });

  test('UDP goes to the host and back, also packets larger than a frame', async () => {
    const echo = dgram.createSocket('udp4');
    echo.on('message', (data, { port, address }) => echo.send(data, port, address));
    echo.bind(0, '127.0.0.1');
    await once(echo, 'listening');
    using guest = new LinuxGuest();
    guest.address();
    const script = `const s = require('node:dgram').createSocket('udp4');
      s.on('message', (m, r) => { console.log(r.address, m.length); if (m.length > 100) s.close(); });
      s.send(Buffer.alloc(50), ${echo.address().port}, '10.0.2.2'); s.send(Buffer.alloc(8000), ${echo.address().port}, '10.0.2.2');`;
    const { output } = await guest.run(process.execPath, '-e', script);
    assert.match(output, /10\.0\.2\.2 50\n10\.0\.2\.2 8000/);
    echo.close();
  });
});
