/** Debian's stock kernel as a sandbox: programs run in it, and their results are returned. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { bootLinux, FileKind, type LinuxVm, restoreLinux } from '../../src/linux/index.js';
import { noVirtioLinux } from '../devices/virtio/debian.js';
import { debian } from '../firmware/systems.js';
import { HANGS_MS } from '../support.js';
import { testFromOutside } from './from-outside.js';

const ours = () => ({ kernel: debian!.kernel, busybox: debian!.busybox, engine: 'soft' as const });

describe('a sandbox of Linux', { skip: noVirtioLinux }, () => {
  let vm: LinuxVm;
  before(async () => {
    vm = await bootLinux({ ...ours(), cpus: 2, ports: [7, 80], timeoutMs: 8 * HANGS_MS });
  });
  after(() => vm?.[Symbol.asyncDispose]());

  test('returns exit status, output and errors separately, like the same busybox on the host', async () => {
    const script = 'read -r word; echo "out $word"; echo err >&2; exit 3';
    const { status, stdout, stderr, timedOut } = await vm.exec(['sh', '-c', script], { input: 'hello\n' });
    const here = spawnSync(debian!.busybox, ['sh', '-c', script], { input: 'hello\n', encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [here.status, here.stdout, here.stderr]);
    assert.equal(timedOut, false);
    assert.match((await vm.exec(['uname', '-sm'])).stdout, /^Linux x86_64\n$/);
  });

  test('has the requested CPUs, as cores of one processor, and runs on each', async () => {
    const words = ['grep', '-E', '^(processor|siblings|core id|apicid)', '/proc/cpuinfo'];
    const said = (await vm.exec(words)).stdout.replaceAll(/\s+/g, ' ');
    const core = (n: number) => `processor : ${n} siblings : 2 core id : ${n} apicid : ${n} `;
    assert.equal(said, core(0) + core(1));
    const where = async (mask: string) =>
      (await vm.exec(['taskset', mask, 'sh', '-c', 'cut -d" " -f39 /proc/self/stat'])).stdout;
    assert.deepEqual([await where('1'), await where('2')], ['0\n', '1\n']);
  });

  test('passes arguments, variables and folders unchanged', async () => {
    const odd = ["it's", '\\n %s $HOME `id`', 'two\nlines', '', 'ä → ☃', ' edges '];
    const { stdout } = await vm.exec(['sh', '-c', 'printf "%s|" "$@" "$ODD" "$PWD"', 'sh', ...odd], {
      env: { ODD: odd.join() },
      cwd: '/tmp',
    });
    assert.equal(stdout, [...odd, odd.join(), '/tmp', ''].join('|'));
    await assert.rejects(vm.exec(['echo', 'a\0b']), /NUL byte/);
    await assert.rejects(vm.exec(['true'], { env: { 'A B': '' } }), /no name of a variable/);
    await assert.rejects(vm.exec([]), /needs a command/);
    await assert.rejects(vm.exec(['echo', 'x'.repeat(200_000)]), /too long for Linux/);
  });

  test('reports commands that cannot be run, and that a signal ended', async () => {
    assert.equal((await vm.exec(['no-such-program'])).status, 127);
    assert.equal((await vm.exec(['true'], { cwd: '/nowhere' })).status, 126);
    assert.equal((await vm.exec(['sh', '-c', 'kill -TERM $$'])).status, 128 + 15);
  });

  test('streams input to a command, and the end of it', async () => {
    async function* pieces() {
      for (let n = 0; n < 20; n++) yield Buffer.alloc(9000, n);
    }
    const all = Buffer.concat(Array.from({ length: 20 }, (_, n) => Buffer.alloc(9000, n)));
    const { stdoutBytes } = await vm.exec(['cat'], { input: pieces() });
    assert.ok(Buffer.from(stdoutBytes).equals(all));
    // A command that reads only a part of its input: the rest does not disturb the next command.
    assert.equal((await vm.exec(['head', '-c', '3'], { input: all })).stdout, '\0\0\0');
    assert.equal((await vm.exec(['cat'], { input: 'next' })).stdout, 'next');
  });

  test('keeps output up to its limit, and drops the rest', async () => {
    const { stdout, truncated, status } = await vm.exec(['seq', '1', '20000'], { maxOutput: 100 });
    assert.deepEqual([stdout.length, truncated, status], [100, true, 0]);
    const chunks: string[] = [];
    const seen = await vm.exec(['seq', '1', '3'], {
      onStdout: (bytes) => chunks.push(Buffer.from(bytes).toString()),
    });
    assert.deepEqual([chunks.join(''), seen.stdout], ['1\n2\n3\n', '']);
  });

  test('ends a command that takes too long, with all its processes', async () => {
    const { status, timedOut } = await vm.exec(['sh', '-c', 'sleep 1000 & sleep 1000; echo late'], {
      timeoutMs: 50,
    });
    assert.deepEqual([status, timedOut], [128 + 9, true]);
    const { stdout } = await vm.exec(['sh', '-c', 'ps | grep -c "[s]leep 1000"']);
    assert.equal(stdout, '0\n');
    const abort = new AbortController();
    const running = vm.exec(['cat'], { input: forever(abort), signal: abort.signal });
    assert.equal((await running).timedOut, true);
  });

  test('runs as many commands at a time as it has channels, and the others afterwards', async () => {
    const script = (name: string) => vm.exec(['sh', '-c', `echo ${name}; sleep 0.1; echo ${name}`]);
    const results = await Promise.all(['a', 'b', 'c', 'd'].map(script));
    assert.deepEqual(
      results.map(({ stdout }) => stdout),
      ['a\na\n', 'b\nb\n', 'c\nc\n', 'd\nd\n'],
    );
  });

  test('copies files and trees in and out, and reports errors', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, n) => n * 7);
    await vm.copyIn('/data/deep/file.bin', bytes, { mode: 0o600 });
    assert.deepEqual([...(await vm.copyOut('/data/deep/file.bin'))], [...bytes]);
    await assert.rejects(vm.copyOut('/no/such'), /\/no\/such cannot be read: .*No such file/);
    await assert.rejects(vm.copyIn('/proc/x/y', ''), /\/proc\/x\/y cannot be written/);
    await vm.copyTreeIn('/tree', [
      { name: 'a', mode: FileKind.folder | 0o755, content: new Uint8Array() },
      { name: 'a/b.txt', mode: FileKind.file | 0o640, content: Buffer.from('b') },
      { name: 'link', mode: FileKind.link | 0o777, content: Buffer.from('a/b.txt') },
    ]);
    assert.equal((await vm.exec(['cat', '/tree/link'])).stdout, 'b');
    const tree = (await vm.copyTreeOut('/tree')).map(({ name, mode, content }) => [
      name,
      mode.toString(8),
      Buffer.from(content).toString(),
    ]);
    assert.deepEqual(tree.sort(), [
      ['a', '40755', ''],
      ['a/b.txt', '100640', 'b'],
      ['link', '120777', 'a/b.txt'],
    ]);
  });

  test('has the time of day, and sleeps without processor time', async () => {
    const { stdout } = await vm.exec(['date', '+%s']);
    assert.ok(Math.abs(Number(stdout) - Date.now() / 1000) < 600, stdout);
  });

  test('serves the host at a forwarded port', async () => {
    const serving = vm.exec(['sh', '-c', 'nc -l -p 80 | tr a-z A-Z']);
    assert.equal((await talk(vm.forward(80), 'hello\n', serving)).stdout, 'HELLO\n');
    assert.throws(() => vm.forward(81), /port 81 is not forwarded/);
  });

  testFromOutside(() => vm);

  test('is forked by its snapshot, and the forks are independent', async () => {
    await vm.exec(['sh', '-c', 'echo base >/tmp/f']);
    const snapshot = await vm.snapshot();
    await vm.exec(['sh', '-c', 'echo first >>/tmp/f']);
    await using fork = await restoreLinux(snapshot);
    await fork.exec(['sh', '-c', 'echo second >>/tmp/f']);
    assert.equal((await fork.exec(['cat', '/tmp/f'])).stdout, 'base\nsecond\n');
    assert.equal((await vm.exec(['cat', '/tmp/f'])).stdout, 'base\nfirst\n');
    assert.equal((await fork.powerOff()).kind, 'poweredOff');
    await assert.rejects(fork.exec(['true']), /the guest has ended before the command began \(poweredOff\)/);
  });

  test('reports the kernel’s message where it panics, also to the waiting command', async () => {
    const command = vm.exec(['sh', '-c', 'sleep 0.2; echo c >/proc/sysrq-trigger']);
    const waiting = [1, 2, 3].map(() => vm.exec(['sleep', '1000']));
    for (const one of waiting) one.catch(() => {});
    await assert.rejects(command, /has ended while the command ran \(panicked\): sysrq triggered crash/);
    // Also a command that waited for its turn.
    await Promise.all(waiting.map((one) => assert.rejects(one, /has ended while the command ran/)));
    const { kind, reason } = await vm.ended;
    assert.deepEqual([kind, reason], ['panicked', 'sysrq triggered crash']);
  });
});

/** Sends a text to a port of this host, again and again until the guest's program listens and has taken it. */
async function talk<T>(port: number, text: string, taken: Promise<T>): Promise<T> {
  let over = false;
  const end = taken.finally(() => {
    over = true;
  });
  while (!over) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.end(text);
    await Promise.race([end, new Promise((resolve) => socket.once('close', resolve))]);
    socket.destroy();
  }
  return end;
}

/** Input without an end; it aborts once it is read. */
async function* forever(abort: AbortController) {
  for (;;) {
    yield Buffer.from('more\n');
    abort.abort();
  }
}

describe('an invalid Linux guest', () => {
  test('is refused with a message', { skip: noVirtioLinux }, async () => {
    await assert.rejects(bootLinux({ ...ours(), channels: 8 }), /channels is 8/);
    await assert.rejects(bootLinux({ ...ours(), busybox: '/etc/passwd' }), /no 64-bit ELF program/);
    await assert.rejects(bootLinux({ ...ours(), busybox: process.execPath }), /is not static/);
    await assert.rejects(bootLinux({ ...ours(), modules: '/no/such' }), /no such folder of kernel modules/);
    await assert.rejects(bootLinux({ ...ours(), kernel: '/no/kernel' }), /\/no\/kernel/);
  });
});
