/** Networks of whole machines: a guest's traffic through its card, errors in options, and a repeated run. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { createMachine, hostMachine, type MachineOptions } from '../../src/index.js';
import type { InputEvent } from '../../src/machine/index.js';
import { frameWords, readPcap } from '../../src/net/index.js';
import { Scratch, terrarium } from '../support.js';

/**
 * A driver of the card in a few lines: it finds the card at PCI 0:3.0 by mechanism 1, sets up a ring of each kind,
 * sends an ARP request for the gateway, waits for the answer, and exits with the last byte of the gateway's address.
 */
const arp = `
.code32
.globl _start
_start:
  cli
  movl $0x80001810, %eax
  movw $0xcf8, %dx
  outl %eax, %dx
  movw $0xcfc, %dx
  inl %dx, %eax
  andl $0xfffffff0, %eax
  movl %eax, %ebx
  movl $receive, 0x2800(%ebx)
  movl $0, 0x2804(%ebx)
  movl $128, 0x2808(%ebx)
  movl $0, 0x2810(%ebx)
  movl $7, 0x2818(%ebx)
  movl $0x8002, 0x100(%ebx)
  movl $transmit, 0x3800(%ebx)
  movl $0, 0x3804(%ebx)
  movl $128, 0x3808(%ebx)
  movl $0, 0x3810(%ebx)
  movl $0, 0x3818(%ebx)
  movl $0xa, 0x400(%ebx)
  movl $1, 0x3818(%ebx)
wait:
  movl 0xc0(%ebx), %eax
  testl $0x80, %eax
  jz wait
  movzbl buffer + 31, %eax
  outb %al, $0xf4
  hlt
.balign 16
receive:
  .long buffer, 0, 0, 0
  .zero 112
transmit:
  .long request, 0, 0x0b00002a, 0
  .zero 112
request:
  .byte 255, 255, 255, 255, 255, 255, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 8, 6
  .byte 0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2
buffer:
  .zero 2048
`;

function driver(folder: Scratch): string {
  const file = folder.file('arp.S');
  writeFileSync(file, arp);
  return file;
}

const options = (folder: Scratch): MachineOptions => {
  const image = driver(folder);
  return { engine: 'soft', image, mode: 'protected', machine: 'pc' };
};

describe('a machine with a card', () => {
  test('has its frames in a file with the guest’s times, and described in the trace', () => {
    using folder = new Scratch();
    const file = folder.file('frames.pcap');
    const words = ['run', driver(folder), '--engine=soft', '--mode=protected', '--trace'];
    const { status, stderr } = terrarium([...words, `--net=user,model=e1000,pcap=${file}`]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /transmit tail.*sends ARP who has 10\.0\.2\.2\? Tell 10\.0\.2\.15/);
    assert.match(stderr, /has received ARP 10\.0\.2\.2 is at 52:55:0a:00:02:02/);
    const frames = [...readPcap(new Uint8Array(readFileSync(file)))];
    assert.deepEqual(
      frames.map(({ frame }) => frameWords(frame)),
      ['ARP who has 10.0.2.2? Tell 10.0.2.15', 'ARP 10.0.2.2 is at 52:55:0a:00:02:02'],
    );
    const { stdout } = terrarium(['trace', file]);
    assert.match(stdout, /ARP who has 10\.0\.2\.2\? Tell 10\.0\.2\.15\n.*ARP 10\.0\.2\.2 is at/);
    assert.ok(frames[0]!.time > 0 && frames[1]!.time >= frames[0]!.time);
  });

  test('is repeated from a record to the same registers, without a network', async () => {
    using folder = new Scratch();
    const spec = { ...options(folder), nets: [{ kind: 'user' as const, model: 'e1000' as const }] };
    await using first = await hostMachine({ ...spec, record: true } as never);
    const outcome = await first.run();
    const record = await first.record();
    assert.ok(record.events.some(({ channel }: InputEvent) => channel === 'e1000-0: frames'));
    await using again = await hostMachine({ ...spec, replay: record } as never);
    const repeated = await again.run();
    assert.equal(outcome.code, repeated.code);
    assert.deepEqual(repeated.registers, outcome.registers);
  });
});

describe('errors of --net', () => {
  const fails = (net: string, ...says: RegExp[]) => {
    const { status, stderr } = terrarium(['run', 'guests/hello', `--net=${net}`, '--machine=pc']);
    assert.equal(status, 2, stderr);
    for (const one of says) assert.match(stderr, one);
  };

  test('name the wrong part, and the right form', () => {
    fails('usr', /'usr' is no network/, /user, switch=NAME or tap=NAME/);
    fails('user,forward=80', /'80' is no forward/, /8080:80/);
    fails('user,forward=0:80', /'0:80' is no forward/);
    fails('user,colour=red', /'colour=red' is not understood/);
    fails('tap=tap0,forward=1:1', /[Oo]nly --net user has forward/);
    fails('switch=a/b', /'switch=a\/b' is no network/);
    fails('user,mac=01:00:00:00:00:00', /mac=01/, /first byte is even/);
    fails('user,pcap=/nowhere/frames', /pcap=\/nowhere\/frames: open failed with ENOENT/);
  });

  test('name a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    fails(
      `user,forward=${port}:80`,
      new RegExp(`TCP port ${port} of 127.0.0.1 cannot be forwarded: EADDRINUSE`),
      /another/,
    );
    server.close();
  });

  test('refuse a card on a bare machine', () => {
    assert.throws(
      () =>
        createMachine({
          engine: 'soft',
          image: 'guests/hello',
          machine: 'bare',
          nets: [{ kind: 'user', model: 'e1000' }],
        }),
      {
        message: /no PCI bus/,
      },
    );
  });
});
