/** gdb's protocol without gdb: what any peer may send, and what it hears. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Machine } from '../../machine/index.js';
import { createMachine } from '../../runtime/index.js';
import { DebugSession } from '../session.js';
import { localTarget } from '../target.js';
import { PACKET_SIZE, PacketReader, packet } from './packets.js';
import { GdbStub } from './stub.js';

const BASE = 0x7c00;

/** A stub over a machine on the software CPU, with `code` in real mode at 7C00. */
class Bench implements Disposable {
  readonly #make: () => Machine;
  machine: Machine;
  readonly session: DebugSession;
  readonly stub: GdbStub;
  sent = '';
  over = 0;
  detached = 0;

  constructor(code: readonly number[], memory?: number) {
    this.#make = () =>
      createMachine({
        engine: 'soft',
        image: Uint8Array.from(code),
        mode: 'real',
        load: BASE,
        ...(memory !== undefined && { memory }),
      });
    this.machine = this.#make();
    this.session = new DebugSession(this.machine, {
      restart: () => {
        this.machine[Symbol.dispose]();
        this.machine = this.#make();
        return this.machine;
      },
    });
    this.stub = new GdbStub(localTarget(this.session), {
      send: async (text) => {
        this.sent += text;
      },
      detached: () => {
        this.detached++;
      },
      over: () => {
        this.over++;
      },
    });
  }

  /** Sends packets one after the other and gives the replies without their frames. */
  async ask(...packets: string[]): Promise<string[]> {
    const replies: string[] = [];
    for (const data of packets) {
      this.sent = '';
      assert.ok(this.stub.receive(packet(data)));
      for (let turns = 0; turns < 100 && !/#../.test(this.sent); turns++) await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      replies.push([...this.sent.matchAll(/\$([^#]*)#../g)].map(([, text]) => text).join(' '));
    }
    return replies;
  }

  async asked(data: string): Promise<string> {
    return (await this.ask(data))[0]!;
  }

  [Symbol.dispose](): void {
    this.machine[Symbol.dispose]();
  }
}

/** nop; nop; nop; hlt with interrupts off */
const nops = [0x90, 0x90, 0x90, 0xf4];

/** A character of gdb's protocol, which is made of bytes. */
const byte = fc.nat(0xff).map((code) => String.fromCharCode(code));

describe("gdb's packets", () => {
  test('come whole however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 40, unit: byte }), { maxLength: 5 }),
        fc.array(fc.nat(60), { maxLength: 20 }),
        (texts, cuts) => {
          const reader = new PacketReader();
          let stream = texts.map(packet).join('+');
          const found = [];
          for (const cut of cuts) {
            found.push(...reader.push(stream.slice(0, cut)));
            stream = stream.slice(cut);
          }
          found.push(...reader.push(stream));
          assert.deepEqual(
            found,
            texts.map((data) => ({ kind: 'packet', data, intact: true })),
          );
        },
      ),
    );
  });

  test('that never end are not kept', () => {
    const reader = new PacketReader();
    for (let n = 0; n < 1000; n++) assert.deepEqual(reader.push(n === 0 ? '$' : 'a'.repeat(10_000)), []);
    assert.deepEqual(reader.push('#00'), [{ kind: 'overlong' }]);
    assert.deepEqual(reader.push(packet('?')), [{ kind: 'packet', data: '?', intact: true }]);
  });

  test('with a wrong checksum are asked for again', async () => {
    using bench = new Bench(nops);
    bench.stub.receive('$?#00');
    assert.equal(bench.sent, '-');
    assert.equal(await bench.asked('?'), 'T05thread:1;');
  });
});

describe('a peer that is no gdb', () => {
  test('sends anything: it hears refusals, and the guest is as it was', async () => {
    using bench = new Bench(nops);
    await bench.ask('QStartNoAckMode');
    const before = bench.session.view();
    const garbage = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc
        .tuple(fc.constantFrom(...'?gpmHTqQvXZz!bBdiIjlLnNoOrRtuUwW'), fc.string({ maxLength: 30 }))
        .map((a) => a.join('')),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (text) => {
        // What writes or runs is meant.
        fc.pre(!/^([GPMXcCsSDk]|vCont|vKill)/.test(text));
        await bench.ask(text);
      }),
      { numRuns: 500 },
    );
    assert.deepEqual(bench.session.view(), before);
    assert.equal(bench.over + bench.detached, 0);
    assert.equal(await bench.asked(`m${BASE.toString(16)},4`), '909090f4');
  });

  test('sends bytes without end and without sense', () => {
    using bench = new Bench(nops);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        bench.stub.receive(String.fromCharCode(...bytes).replace(/[$]/g, ''));
      }),
    );
  });

  test('sends a packet without end: none of it is kept', () => {
    using bench = new Bench(nops);
    const chunk = 'a'.repeat(256 * 1024);
    const before = process.memoryUsage().heapUsed;
    bench.stub.receive('$');
    for (let n = 0; n < 256; n++) assert.ok(bench.stub.receive(chunk));
    const grown = process.memoryUsage().heapUsed - before;
    assert.ok(grown < 48 * 1024 * 1024, `${grown} bytes more for a packet of 64 MiB`);
  });

  test('sends more than it waits for: the connection ends', () => {
    using bench = new Bench(nops);
    let taken = 0;
    while (taken < 1000 && bench.stub.receive(packet('g'))) taken++;
    assert.ok(taken < 100, `${taken} packets were kept`);
  });

  test('asks for lengths that nothing has', async () => {
    using bench = new Bench(nops);
    assert.match(await bench.asked('m0,ffffffff'), /^E\..*too many/);
    assert.match(await bench.asked('mffffffffffffffff,10'), /^E\./);
    assert.match(await bench.asked('m0,10000000000000000'), /^E\./);
    assert.match(await bench.asked('X0,100:a'), /^E\..*256 bytes/);
    assert.match(await bench.asked('M0,4:zzzzzzzz'), /^E\./);
    assert.match(await bench.asked('pffff'), /^E\./);
    assert.equal((await bench.asked('m0,10000')).length, PACKET_SIZE);
    assert.match(await bench.asked(`Z0,${'f'.repeat(17)},1`), /^E\./);
  });
});

describe('memory through gdb', () => {
  test('ends at a hole, and says so where it begins in one', async () => {
    using bench = new Bench(nops, 0x10000);
    assert.equal((await bench.asked('mfff8,20')).length, 16);
    assert.match(await bench.asked('m10000,4'), /^E\.there is no memory at 0x10000/);
    assert.match(await bench.asked('Mfffe,4:11223344'), /^E\.there is no memory/);
    assert.equal(await bench.asked('mfffe,2'), '0000', 'nothing of it was written');
  });

  test('is physical where that was asked for', async () => {
    using bench = new Bench(nops);
    assert.deepEqual(await bench.ask('Qqemu.PhyMemMode:1', 'qqemu.PhyMemMode', 'm7c00,2'), [
      'OK',
      '1',
      '9090',
    ]);
  });

  test('a breakpoint is not in it, and may be where there is none', async () => {
    using bench = new Bench(nops);
    assert.deepEqual(await bench.ask('Z0,7c02,1', 'Z0,7c02,1', 'Z0,fff00000,1', 'm7c02,1'), [
      'OK',
      'OK',
      'OK',
      '90',
    ]);
    assert.equal(await bench.asked('c'), 'T05thread:1;swbreak:;');
    assert.equal(bench.session.here().pc, 0x7c02n);
    assert.equal(await bench.asked('c'), 'T05thread:1;swbreak:;', 'gdb steps over it itself');
    assert.equal(bench.session.here().pc, 0x7c02n);
    assert.deepEqual(await bench.ask('z0,7c02,1', 'z0,7c02,1'), ['OK', 'OK']);
  });

  test('is watched: a write ends the run after it, and gdb is told where', async () => {
    // mov %al,0x5000; mov 0x5001,%al; hlt
    using bench = new Bench([0xa2, 0x00, 0x50, 0xa0, 0x01, 0x50, 0xf4]);
    assert.deepEqual(await bench.ask('Z2,5000,1', 'Z4,5001,1'), ['OK', 'OK']);
    assert.equal(await bench.asked('c'), 'T05thread:1;watch:5000;');
    assert.equal(bench.session.here().pc, 0x7c03n);
    assert.equal(await bench.asked('vCont;c:1'), 'T05thread:1;awatch:5001;');
    assert.equal(bench.session.here().pc, 0x7c06n);
  });
});

describe('watched for reads', () => {
  // mov %al,0x5000; incb 0x5000; mov 0x5000,%al; hlt
  const code = [0xa2, 0x00, 0x50, 0xfe, 0x06, 0x00, 0x50, 0xa0, 0x00, 0x50, 0xf4];

  test('memory ends the run after what reads it, and not after what writes it', async () => {
    using bench = new Bench(code);
    assert.equal(await bench.asked('Z3,5000,1'), 'OK');
    assert.equal(await bench.asked('c'), 'T05thread:1;rwatch:5000;');
    assert.equal(bench.session.here().pc, 0x7c07n, 'after the increment, which reads first');
    assert.equal(await bench.asked('c'), 'T05thread:1;rwatch:5000;');
    assert.equal(bench.session.here().pc, 0x7c0an);
    assert.equal(await bench.asked('z3,5000,1'), 'OK');
    assert.match(await bench.asked('c'), /T00thread/);
  });
});

describe('what cannot be had', () => {
  test('is said where gdb shows it: when the guest is to run with it', async () => {
    using bench = new Bench(nops);
    assert.equal(await bench.asked('Z2,1000,ffff'), 'OK');
    assert.match(await bench.asked('c'), /^E\.65535 bytes cannot be watched/);
    assert.match(await bench.asked('s'), /^E\.65535 bytes cannot be watched/);
    assert.equal(bench.session.here().pc, BigInt(BASE), 'the guest has not run');
    assert.equal(await bench.asked('z2,1000,ffff'), 'OK');
    assert.equal(await bench.asked('s'), 'T05thread:1;');
  });

  test('of breakpoints, beyond what the engine has', async () => {
    using bench = new Bench(nops);
    for (let n = 0; n < 257; n++) assert.equal(await bench.asked(`Z0,${(0x8000 + n).toString(16)},1`), 'OK');
    assert.match(await bench.asked('c'), /^E\..*256 breakpoints/);
    assert.equal(await bench.asked('z0,8100,1'), 'OK');
    assert.match(await bench.asked('c'), /T00thread/);
  });
});

describe('gdb’s extended mode', () => {
  const startOf = (bench: Bench) => bench.session.here().pc;

  test('starts the machine again: run, after its end and after kill', async () => {
    using bench = new Bench(nops);
    assert.equal(await bench.asked('!'), 'OK');
    await bench.ask('s', 's');
    assert.equal(await bench.asked('vRun;'), 'T05thread:1;');
    assert.equal(startOf(bench), BigInt(BASE));
    await bench.ask('c', 'c');
    assert.equal(bench.over, 0, 'gdb stays after the guest’s end');
    assert.equal(await bench.asked('vRun;6b;61'), 'T05thread:1;', 'for any file and arguments of gdb');
    assert.equal(startOf(bench), BigInt(BASE));
    assert.deepEqual(await bench.ask('vKill;1', '?'), ['OK', 'X09']);
    assert.deepEqual(await bench.ask('R00', '?', 's'), ['', 'T05thread:1;', 'T05thread:1;']);
    assert.equal(bench.over, 0);
  });

  test('ends the debugging where gdb goes away with the guest gone, and not where it lives', async () => {
    using bench = new Bench(nops);
    await bench.ask('!', 's');
    await bench.stub.close();
    assert.equal(bench.over, 0);
    using gone = new Bench(nops);
    await gone.ask('!', 'k');
    await gone.stub.close();
    assert.equal(gone.over, 1);
  });

  test('monitor restart does the same without it', async () => {
    using bench = new Bench(nops);
    await bench.ask('s', `qRcmd,${Buffer.from('restart').toString('hex')}`);
    assert.equal(startOf(bench), BigInt(BASE));
  });
});

describe('the width of the code', () => {
  // mov $0x7c20,…: lgdt 0x7c20; mov %cr0,%eax; or $1,%al; mov %eax,%cr0; ljmp $8,$0x7c10; nop; 0x7c10: nop; hlt; 0x7c20: GDT
  const code = [
    ...[0x0f, 0x01, 0x16, 0x20, 0x7c, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0],
    ...[0xea, 0x12, 0x7c, 0x08, 0x00, 0x90, 0xf4],
    ...Array(0x20 - 20).fill(0x90),
    ...[0x0f, 0x00, 0x28, 0x7c, 0x00, 0x00, 0, 0],
    ...[0, 0, 0, 0, 0, 0, 0, 0],
    ...[0xff, 0xff, 0x00, 0x00, 0x00, 0x9a, 0xcf, 0x00],
  ];
  const description = 'qXfer:features:read:target.xml:0,3fff';

  test('is announced once where it changes, and described to a gdb that asks again', async () => {
    using bench = new Bench(code);
    assert.match(await bench.asked(description), /<architecture>i8086</);
    await bench.ask('s', 's', 's', 's');
    const [words, stop] = (await bench.asked('s')).split(' ');
    assert.equal(stop, 'T05thread:1;');
    assert.match(
      Buffer.from(words!.slice(1), 'hex').toString(),
      /runs 32-bit code now, and gdb assumes 16-bit code: 'unset tdesc filename'/,
    );
    assert.equal(await bench.asked('s'), 'T05thread:1;', 'it is said once');
    assert.match(await bench.asked(description), /<architecture>i386</);
  });

  test('stays as it was described for who does not ask', async () => {
    using bench = new Bench(code);
    await bench.asked(description);
    const before = (await bench.asked('g')).length;
    await bench.ask('s', 's', 's', 's', 's');
    assert.equal((await bench.asked('g')).length, before);
  });
});

describe('a guest under gdb', () => {
  test('steps, and steps within a range', async () => {
    using bench = new Bench(nops);
    assert.equal(await bench.asked('vCont;s:1'), 'T05thread:1;');
    assert.equal(bench.session.here().pc, 0x7c01n);
    assert.equal(await bench.asked('vCont;r7c01,7c03:1'), 'T05thread:1;');
    assert.equal(bench.session.here().pc, 0x7c03n);
  });

  test('that halts for good stops once more, then is gone', async () => {
    using bench = new Bench(nops);
    assert.match(await bench.asked('c'), /^O[\da-f]+ T00thread:1;$/);
    assert.equal(await bench.asked('m7c00,1'), '90');
    assert.equal(bench.over, 0);
    assert.equal(await bench.asked('c'), 'W00');
    assert.equal(bench.over, 1);
  });

  test('continues from its end where its program counter is set', async () => {
    using bench = new Bench(nops);
    await bench.ask('c');
    assert.equal(await bench.asked('P8=007c0000'), 'OK');
    assert.equal(await bench.asked('s'), 'T05thread:1;');
    assert.equal(bench.session.here().pc, 0x7c01n);
  });

  test('that exits with a code is gone with it', async () => {
    // mov $7,%al; out %al,$0xf4
    using bench = new Bench([0xb0, 0x07, 0xe6, 0xf4]);
    assert.match(await bench.asked('c'), /^W[\da-f]{2}$/);
    assert.equal(bench.over, 1);
  });

  test('has the linear address for its program counter, for every CS', async () => {
    // ljmp $0x7c0,$0x5; hlt
    using bench = new Bench([0xea, 0x05, 0x00, 0xc0, 0x07, 0xf4]);
    await bench.ask('s');
    assert.equal(await bench.asked('p8'), '057c0000');
    assert.equal(bench.machine.cpu.getRegisters().rip, 5n);
    assert.equal(await bench.asked('P8=007c0000'), 'OK');
    assert.equal(bench.machine.cpu.getRegisters().rip, 0n);
    assert.equal(await bench.asked('P0=efbeadde'), 'OK');
    assert.equal(bench.machine.cpu.getRegisters().rax, 0xdeadbeefn);
  });
});

describe('monitor why', () => {
  const words = (replies: string) =>
    [...replies.matchAll(/\bO([\da-f]+)/g)].map(([, hex]) => Buffer.from(hex!, 'hex').toString()).join('');
  const why = (bench: Bench) => bench.asked(`qRcmd,${Buffer.from('why').toString('hex')}`).then(words);

  test('says of a guest that lives where it stands, and what comes', async () => {
    using bench = new Bench(nops);
    assert.match(
      await why(bench),
      /why: the guest has not died[\s\S]*0000:00007c00 {2}nop[\s\S]*real mode; interrupts are off/,
    );
    await bench.ask('s', 's', 's');
    assert.match(await why(bench), /next instruction is HLT with interrupts off/);
  });

  test('says of one that halted for good, and of one that shut down, why', async () => {
    using bench = new Bench(nops);
    await bench.ask('c');
    assert.match(await why(bench), /why: the guest halted[\s\S]*so nothing\s+wakes\s+it/);
    // lidt with a limit of 0; xor %cx,%cx; div %cx
    using dead = new Bench([0x0f, 0x01, 0x1e, 0x00, 0x50, 0x31, 0xc9, 0xf7, 0xf1]);
    await dead.ask('c');
    assert.match(await why(dead), /why: #DE[\s\S]*div cx[\s\S]*cx is 0[\s\S]*triple fault/);
    assert.match(await why(dead), /cx is 0/, 'it can be asked again');
    await dead.ask('P8=007c0000');
    assert.match(await why(dead), /the guest has not died/, 'its RIP was set to another address');
  });

  test('names the last exception that reached its handler', async () => {
    // IVT entry 0 → 0000:7d00, by way of memory; xor %cx,%cx; div %cx
    using bench = new Bench([0x31, 0xc9, 0xf7, 0xf1]);
    bench.session.write(0n, Uint8Array.of(0x00, 0x7d, 0, 0), 'physical');
    bench.session.write(0x7d00n, Uint8Array.of(0xeb, 0xfe), 'physical');
    await bench.ask('s', 's', 's');
    const text = await why(bench);
    assert.match(
      text,
      /the last exception was #DE \(divide error\) at 0000:00007c02; it has\s+reached\s+its\s+handler/,
    );
    assert.match(text, /jumps to itself/);
  });
});
