/** gdb's remote protocol as gdb uses it: the time to attach, and the steps per second. */
import { parseImage } from '../src/boot/index.js';
import type { EngineName } from '../src/config/index.js';
import { GdbClient } from '../src/debug/gdb/testing.js';
import { serveGdb } from '../src/debug/listen/index.js';
import { hostMachine } from '../src/runtime/index.js';
import { median, type Row } from './measure.js';

const ATTACHES = 20;
const STEPS = 2000;
const GOAL_ATTACH = 100;
const GOAL_STEPS = 1000;

/** 1: inc %ax; jmp 1b */
const image = parseImage(Uint8Array.of(0x40, 0xeb, 0xfd), 'endless');

export async function benchGdb(engines: readonly EngineName[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const engine of engines) {
    await using machine = await hostMachine({ engine, image, mode: 'real', load: 0x7c00, debug: true });
    const server = await serveGdb(machine.debugTarget(), { port: 0 });
    const attaches: number[] = [];
    for (let n = 0; n < ATTACHES; n++) {
      const started = performance.now();
      using client = await GdbClient.connect(server.where);
      await greet(client);
      attaches.push(performance.now() - started);
      await client.ask('D');
      await client.closed;
    }
    using client = await GdbClient.connect(server.where);
    await greet(client);
    const started = performance.now();
    for (let n = 0; n < STEPS; n++) {
      await client.ask('vCont;s:1');
      await client.ask('g');
    }
    const rate = STEPS / ((performance.now() - started) / 1000);
    await server.close();
    const slowest = Math.max(...attaches);
    rows.push(
      {
        name: `gdb attaches to a guest that runs, ${engine}`,
        unit: 'ms (p50)',
        terrarium: median(attaches),
        goal: `≤ ${GOAL_ATTACH} ms`,
        holds: median(attaches) <= GOAL_ATTACH,
        note: `slowest ${slowest.toFixed(1)} ms; connection, features, description, registers`,
      },
      {
        name: `steps through gdb's protocol, ${engine}`,
        unit: 'a second',
        terrarium: rate,
        goal: `≥ ${GOAL_STEPS}`,
        holds: rate >= GOAL_STEPS,
        note: 'each with all registers, one packet after the other',
      },
    );
  }
  return rows;
}

/** The packets that gdb sends when it connects. */
async function greet(client: GdbClient): Promise<void> {
  await client.ask('qSupported:xmlRegisters=i386');
  await client.ask('vCont?');
  await client.ask('qXfer:features:read:target.xml:0,ffb');
  await client.ask('?');
  await client.ask('g');
}
