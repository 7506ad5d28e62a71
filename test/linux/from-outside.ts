/**
 * What is read from a Linux guest's memory, beside what the guest itself prints; and the same from memory that the guest has spoiled.
 * The guest is one that is booted already.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, formatExplanation } from '../../src/explain/index.js';
import { formatLog, LinuxKernel, readDeath, readLog, readTasks } from '../../src/inspect/index.js';
import { type LinuxSnapshot, type LinuxVm, restoreLinux } from '../../src/linux/index.js';
import { GuestMemory, restorePages } from '../../src/memory/index.js';

const memoryOf = ({ state }: LinuxSnapshot): GuestMemory => {
  const memory = GuestMemory.create([{ address: 0, size: state.memory.size }]);
  restorePages(memory, state.memory);
  return memory;
};

/** xor eax,eax; mov eax,[rax+0x10]; ret */
const NULL_DEREFERENCE = [0x31, 0xc0, 0x8b, 0x40, 0x10, 0xc3];

/** A snapshot with other bytes at an address of the kernel's. */
function patched(snapshot: LinuxSnapshot, address: bigint, bytes: readonly number[]): LinuxSnapshot {
  using memory = memoryOf(snapshot);
  const kernel = LinuxKernel.find(memory)!;
  const physical = kernel.physical + Number(address - kernel.address('_text')!);
  const pages = new Map(snapshot.state.memory.pages);
  const page = pages.get(physical >> 12)!.slice();
  page.set(bytes, physical & 4095);
  pages.set(physical >> 12, page);
  return { ...snapshot, state: { ...snapshot.state, memory: { ...snapshot.state.memory, pages } } };
}

export function testFromOutside(guest: () => LinuxVm): void {
  test('its symbols are those of /proc/kallsyms, at random addresses', async () => {
    const vm = guest();
    const kernel = LinuxKernel.find(vm.machine.memory)!;
    assert.equal(kernel.banner, (await vm.exec(['cat', '/proc/version'])).stdout.trimEnd());
    // The beginning: a guest needs seconds to print all of it.
    const { stdout } = await vm.exec(['head', '-n', '12000', '/proc/kallsyms']);
    const theirs = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ') as [string, string, string])
      // What is in each CPU's own memory has no address of its own.
      .filter(([address]) => BigInt(`0x${address}`) >= 0xffff_ffff_8000_0000n)
      .map(([address, , name]) => `${address} ${name}`);
    assert.ok(theirs.length > 10_000);
    const ours = kernel.symbols.symbols.map(({ address, name }) => `${address.toString(16)} ${name}`);
    const last = ours.indexOf(theirs.at(-1)!);
    assert.ok(last >= theirs.length - 1);
    const known = new Set(ours);
    assert.deepEqual(
      theirs.filter((line) => !known.has(line)),
      [],
    );
    assert.equal(kernel.symbols.symbolAt(kernel.address('vfs_write')! + 5n), 'vfs_write+0x5');
  });

  test('its tasks are those of ps', async () => {
    const vm = guest();
    const over = new AbortController();
    const held = vm.exec(['sleep', '1000'], { signal: over.signal });
    const { stdout } = await vm.exec(['ps', '-o', 'pid,ppid,comm']);
    const tasks = new Map(vm.tasks().map((task) => [task.pid, task]));
    over.abort();
    await held;
    const rows = stdout
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => /^ *(\d+) +(\d+) (.*)$/.exec(line)!);
    const lasting = rows.filter(([, pid]) => tasks.has(Number(pid)));
    // Those of the command itself are gone.
    assert.ok(lasting.length > 40 && lasting.length > rows.length - 6, stdout);
    for (const [, pid, parent, name] of lasting) {
      const task = tasks.get(Number(pid))!;
      assert.equal(task.parent, Number(parent));
      // Names of a worker's work, and of a shell's builtins, change.
      if (task.kernel && !name!.startsWith('kworker')) assert.equal(task.name, name);
    }
    assert.ok([...tasks.values()].some(({ name, state }) => name === 'sleep' && state === 'S'));
    assert.equal(tasks.get(2)!.kernel, true);
  });

  test('its log is that of dmesg', async () => {
    const vm = guest();
    const { stdout } = await vm.exec(['dmesg']);
    assert.equal(`${formatLog(vm.log())}\n`, stdout);
  });

  test('an oops is explained: who, where, by which calls', async () => {
    const snapshot = await guest().snapshot();
    const address = LinuxKernel.find(guest().machine.memory)!.address('sysrq_handle_showmem')!;
    await using broken = await restoreLinux(patched(snapshot, address, NULL_DEREFERENCE));
    const { status } = await broken.exec(['sh', '-c', 'echo m >/proc/sysrq-trigger']);
    assert.notEqual(status, 0);
    const death = broken.death()!;
    assert.match(death.reason, /^kernel NULL pointer dereference, address: 0000000000000010$/);
    assert.deepEqual([death.who!.name, death.panic], ['sh', undefined]);
    assert.match(death.where!, /^sysrq_handle_showmem\+0x2\//);
    const names = death.calls.map((call) => call.replace(/(\.cold)?\+.*/, ''));
    const chain = ['__handle_sysrq', 'write_sysrq_trigger', 'proc_reg_write', 'vfs_write', 'ksys_write'];
    assert.deepEqual(names.slice(0, 5), chain);
    assert.match(death.before.at(-1)!, /sysrq: Show Memory/);
    const dying = broken.exec(['sh', '-c', 'echo c >/proc/sysrq-trigger']);
    await assert.rejects(dying, /panicked/);
    const { outcome } = await broken.ended;
    const text = formatExplanation(explain({ ...outcome, memory: broken.machine.memory }));
    assert.match(text, /^why: the Linux kernel panicked: sysrq triggered crash\n/);
  });

  test('memory that the guest spoiled gives less, in bounded time', async () => {
    const snapshot = await guest().snapshot();
    using memory = memoryOf(snapshot);
    const kernel = LinuxKernel.find(memory)!;
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const text = kernel.address('_text')!;
    const spoil = (address: bigint, length: number) => {
      const physical = kernel.physical + Number(address - text) + random(length);
      memory.write8(physical, random(4) === 0 ? 0xff : random(256));
    };
    const ring = kernel.address('printk_rb_static')!;
    const [from, to] = [kernel.address('__start_BTF')!, kernel.address('__stop_BTF')!];
    for (let round = 0; round < 12; round++) {
      for (let n = 0; n < 8; n++) spoil(ring, 88);
      for (let n = 0; n < 200; n++) spoil(kernel.address('init_task')!, 4096);
      for (let n = 0; n < 50; n++) spoil(from, round % 2 ? Number(to - from) : 24);
      const now = kernel.again();
      assert.ok(readTasks(now).length <= 1 << 15);
      readDeath(readLog(now));
    }
    // A list that leads into itself, far from its head.
    const { at } = readTasks(LinuxKernel.find(guest().machine.memory)!)[5]!;
    using other = memoryOf(snapshot);
    const whole = LinuxKernel.find(other)!;
    const next = whole.btf!.field('task_struct', 'tasks')!;
    const place = at + BigInt(next.offset);
    const target = whole.physicalOf(place)!;
    other.write64(target, place);
    assert.ok(readTasks(whole.again()).length < 10);
    // Its table of symbols: there is none, or one that holds what it says.
    for (let n = 0; n < 4000; n++) other.write8(whole.symbolsAt - random(1 << 20), random(256));
    other.write8(whole.physical + Number(whole.address('linux_banner')! - text) + 20, 0);
    assert.equal(LinuxKernel.find(other)?.symbols.symbol('vfs_write'), undefined);
  });
}
