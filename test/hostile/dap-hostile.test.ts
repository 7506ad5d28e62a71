/** Clients of `terrarium dap` that send invalid messages, request missing things, or disappear. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { ProcessEditor } from '../dap/dap-client.js';
import { written } from '../debug/debug-sources.js';
import { cli, noGcc, noKvm, root, Scratch, terrarium } from '../support.js';

/** The adapter's status and output after some bytes and the end of input. */
function fed(input: string): { status: number | null; stderr: string; stdout: string } {
  return terrarium(['dap'], { input });
}

const message = (body: unknown) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
};

/** The children of a process that still run. */
function childrenOf(pid: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]!.split(' ')[1] === String(pid);
      } catch {
        return false;
      }
    });
}

const LOOP = '.code64\n_start: jmp _start\n';

describe('a debug adapter that is sent', () => {
  test('bytes that are no message ends with a report', () => {
    for (const garbage of [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      '\0\x01\x02',
      '\r\n\r\n',
      `A${'a'.repeat(10_000)}`,
      `Content-Type: ${'a'.repeat(10_000)}`,
    ]) {
      const { status, stderr, stdout } = fed(garbage);
      assert.equal(status, 2, garbage.slice(0, 20));
      assert.match(stderr, /terrarium: .*(message|Content-Length)/);
      assert.equal(stdout, '');
    }
  });

  test('huge lengths ends at once', () => {
    assert.match(fed('Content-Length: 999999999\r\n\r\n').stderr, /too large/);
    assert.equal(fed('Content-Length: -5\r\n\r\n{}').status, 2);
    assert.equal(fed('Content-Length: 99999999999999999999\r\n\r\n').status, 2);
  });

  test('a body that is no JSON, or no object, ends', () => {
    assert.equal(fed(message('{"seq":1,')).status, 2);
    assert.equal(fed(message('null')).status, 2);
    assert.equal(fed(message('[]') + message('7')).status, 0);
  });

  test('half a message and then the end of input ends', () => {
    assert.equal(fed('Content-Le').status, 0);
    assert.equal(fed(message({ seq: 1, type: 'request', command: 'initialize' }).slice(0, -5)).status, 0);
    assert.equal(fed('').status, 0);
  });

  test('requests that are unknown, without arguments, or too early, answers each with an error', async () => {
    await using editor = new ProcessEditor();
    assert.match(await editor.refused('brew', { kind: 'tea' }), /this adapter does not support 'brew'/);
    assert.match(await editor.refused('__proto__', {}), /this adapter does not support '__proto__'/);
    assert.match(await editor.refused('stackTrace', { threadId: 1 }), /there is no guest yet/);
    for (const command of [
      'launch',
      'setBreakpoints',
      'variables',
      'evaluate',
      'readMemory',
      'goto',
      'continue',
    ])
      assert.notEqual(await editor.refused(command, undefined), '');
    assert.match(await editor.refused('attach', {}), /can only be debugged from its start/);
    await editor.client.initializeRequest();
  });

  test('a launch that fails reports why, and the next one can succeed', async () => {
    await using editor = new ProcessEditor();
    const refused = (args: object) => editor.refused('launch', args);
    assert.match(await refused({ program: '/nowhere/k.S' }), /\/nowhere\/k\.S: no such file/);
    assert.match(await refused({ program: 7 }), /names no program/);
    assert.match(await refused({ program: 'guests/hello', engine: 'steam' }), /'steam' is invalid|steam/);
    assert.match(await refused({ program: 'guests/hello', memory: 'much' }), /'much' is not a size/);
    assert.match(await refused({ program: 'guests/hello', args: ['--nix'] }), /unknown option '--nix'/);
    assert.match(await refused({ program: 'guests/hello', simvirtio: 'polling' }), /cannot be debugged/);
    using scratch = new Scratch();
    writeFileSync(scratch.file('k.S'), 'mov $1, %nix\n');
    assert.match(await refused({ program: scratch.file('k.S') }), /does not compile:\n[\s\S]*%nix/);
    const entry = editor.stopped();
    await editor.launch({ program: 'guests/hello', engine: 'soft', stopOnEntry: true });
    await entry;
    assert.match(await refused({ program: 'guests/hello' }), /already been launched/);
  });
});

describe('a stopped guest', { skip: noGcc }, () => {
  test('refuses breakpoints in files that are not its own, and invalid numbers', async () => {
    await using editor = new ProcessEditor();
    const entry = editor.stopped();
    await editor.launch({ program: 'guests/hello', engine: 'soft', stopOnEntry: true });
    await entry;
    const { client } = editor;
    for (const path of ['/nowhere/missing.c', `${root}/README.md`, '', '\0']) {
      const { body } = await client.setBreakpointsRequest({ source: { path }, breakpoints: [{ line: 1 }] });
      assert.equal(body.breakpoints[0]!.verified, false);
      assert.match(body.breakpoints[0]!.message!, /this guest has no code from .*made of hello\.S/);
    }
    const own = `${root}/guests/hello/hello.S`;
    const odd = [
      { line: -1 },
      { line: 1e9 },
      { line: 1, condition: '((' },
      { line: 1, hitCondition: 'often' },
      { line: 1, condition: 'rax = 2' },
      { line: 20, condition: 'nix' },
    ];
    const { body } = await client.setBreakpointsRequest({ source: { path: own }, breakpoints: odd });
    assert.deepEqual(
      body.breakpoints.map(({ verified }) => verified),
      [true, false, false, false, false, true],
    );
    const stop = await editor.continue();
    assert.equal(stop.reason, 'breakpoint', 'a condition that cannot be evaluated stops, with the reason');
    assert.match(editor.output.important!, /'nix' is neither a register nor a symbol/);

    const wide = { memoryReference: '0x0', offset: 0, count: 1e12 };
    assert.ok((await client.customRequest('readMemory', wide)).body.data.length < 3_000_000);
    assert.match(
      await editor.refused('readMemory', { memoryReference: 'rax', count: 4 }),
      /'rax' is not an address/,
    );
    const far = { memoryReference: '0xffffffffffffffff', instructionOffset: -1e9, instructionCount: 1e9 };
    assert.equal((await client.disassembleRequest(far)).body!.instructions.length, 2000);
    assert.match(
      await editor.refused('variables', { variablesReference: 9999 }),
      /belong to an earlier stop/,
    );
    assert.match(await editor.refused('evaluate', { expression: '('.repeat(500) }), /too many brackets/);
    assert.match(await editor.refused('evaluate', { expression: 'rax '.repeat(500) }), /too long/);
    assert.match(await editor.refused('evaluate', { expression: '1 / (2 - 2)' }), /divide by 0/);
    const all = Array.from({ length: 400 }, (_, i) => ({
      instructionReference: `0x${(0x100000 + i).toString(16)}`,
    }));
    const set = (await client.customRequest('setInstructionBreakpoints', { breakpoints: all })).body
      .breakpoints;
    assert.ok(
      set.some(({ verified }: { verified: boolean }) => !verified),
      'more than the CPU has are refused',
    );
    await client.customRequest('setInstructionBreakpoints', { breakpoints: [] });
  });
});

for (const [engine, skip] of [
  ['soft', noGcc],
  ['kvm', noGcc || noKvm],
] as const) {
  describe(`a client that disappears from a guest on ${engine}`, { skip }, () => {
    test('leaves nothing: the adapter ends although the guest runs forever', async () => {
      using scratch = new Scratch();
      await using editor = new ProcessEditor();
      await editor.launch(written(scratch, 'k.S', LOOP, 64, engine));
      editor.child.stdin!.end();
      assert.equal(await editor.status, 0);
      assert.deepEqual(childrenOf(editor.child.pid!), []);
    });

    test('in the middle of a step, or by a signal, leaves nothing either', async () => {
      using scratch = new Scratch();
      for (const leave of ['stdin', 'SIGTERM'] as const) {
        await using editor = new ProcessEditor();
        const entry = editor.stopped();
        await editor.launch({
          ...written(scratch, 'k.S', '.code64\n sti\n hlt\n', 64, engine),
          stopOnEntry: true,
        });
        await entry;
        await editor.next();
        void editor.client.nextRequest({ threadId: 1 }).catch(() => {});
        if (leave === 'stdin') editor.child.stdin!.destroy();
        else editor.child.kill(leave);
        assert.equal(await editor.status, 0);
      }
    });
  });
}

describe('a debug adapter at a port', () => {
  test('serves only this computer, several editors, and ends with a signal', {
    skip: noGcc,
  }, async () => {
    const child = spawn(process.execPath, [cli, 'dap', '--port', '0'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'exit');
    try {
      const [said] = (await once(child.stderr, 'data')) as [Buffer];
      const port = Number(/127\.0\.0\.1:(\d+);/.exec(said.toString())![1]);
      const sockets = readFileSync('/proc/net/tcp', 'latin1');
      const hex = port.toString(16).toUpperCase().padStart(4, '0');
      assert.match(
        sockets,
        new RegExp(`0100007F:${hex} 00000000:0000 0A`),
        'listens on the loopback interface',
      );
      for (let i = 0; i < 2; i++) {
        const socket = connect(port, '127.0.0.1');
        socket.write(message({ seq: 1, type: 'request', command: 'initialize', arguments: {} }));
        const [answer] = (await once(socket, 'data')) as [Buffer];
        assert.match(answer.toString(), /"supportsDisassembleRequest":true/);
        if (i === 0) socket.destroy();
      }
      const bad = connect(port, '127.0.0.1');
      bad.write('garbage\r\n\r\n');
      await once(bad, 'close');
      assert.equal(child.exitCode, null, 'one invalid client does not end other sessions');
      child.kill('SIGTERM');
      assert.equal((await ended)[0], 0);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  });

  test('that is in use is refused with a message', async () => {
    const { createServer } = await import('node:net');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { status, stderr } = terrarium(['dap', '--port', String(port)]);
    server.close();
    assert.equal(status, 2);
    assert.match(stderr, /cannot listen on port \d+: .*EADDRINUSE/);
  });
});
