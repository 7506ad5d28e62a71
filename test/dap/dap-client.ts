/**
 * An editor for tests: the protocol's own client library, talking to the adapter. The adapter is in the test's own
 * process, or the real `terrarium dap` where the process is a subject of the test.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { unrestricted } from '../../src/apps/dap/access-rules.js';
import { startSession } from '../../src/apps/dap/serve.js';
import { cli, HANGS_MS, root } from '../support.js';

export type Stopped = DebugProtocol.StoppedEvent['body'];
export type Variable = DebugProtocol.Variable;

/** The library starts adapters by itself, with at most one word; this one is already started. */
class Client extends DebugClient {
  talkTo(from: Readable, to: Writable): void {
    this.connect(from, to);
  }
}

export class Editor implements AsyncDisposable {
  readonly client: Client;
  /** The adapter's exit status, once it has ended. */
  readonly status: Promise<number | null>;
  /** All output events, by category. */
  readonly output: Record<string, string> = { console: '', stdout: '', stderr: '', important: '' };
  readonly events: DebugProtocol.Event[] = [];
  /** Ends the adapter. */
  readonly #end: () => void;

  /** @param child an adapter that is a process */
  constructor(child?: ChildProcess) {
    this.client = new Client('', '', 'terrarium');
    this.client.defaultTimeout = HANGS_MS;
    if (child === undefined) {
      const [requests, messages] = [new PassThrough(), new PassThrough()];
      this.status = new Promise((resolve) => startSession(requests, messages, unrestricted, resolve));
      this.#end = () => requests.end();
      this.client.talkTo(messages, requests);
    } else {
      this.status = once(child, 'exit').then(([status]) => status as number | null);
      this.#end = () => child.kill('SIGKILL');
      this.client.talkTo(child.stdout!, child.stdin!);
    }
    this.listen();
  }

  private listen(): void {
    this.client.on('output', ({ body }: DebugProtocol.OutputEvent) => {
      this.output[body.category ?? 'console'] += body.output;
    });
    for (const name of ['stopped', 'exited', 'terminated', 'breakpoint', 'invalidated'])
      this.client.on(name, (event: DebugProtocol.Event) => this.events.push(event));
  }

  /** Launches and sets breakpoints before the guest runs; with `stopOnEntry` it is then stopped at its entry. */
  async launch(
    args: Record<string, unknown>,
    configure: (client: DebugClient) => Promise<unknown> = async () => {},
  ): Promise<DebugProtocol.Capabilities> {
    const { body = {} } = await this.client.initializeRequest();
    const ready = this.client.waitForEvent('initialized');
    await this.client.launchRequest(args as DebugProtocol.LaunchRequestArguments);
    await ready;
    await configure(this.client);
    await this.client.configurationDoneRequest();
    return body;
  }

  /** Waits for the stop after `action`. */
  async until(action: () => Promise<unknown>): Promise<Stopped> {
    const event = this.client.waitForEvent('stopped') as Promise<DebugProtocol.StoppedEvent>;
    await Promise.all([event, action()]);
    return (await event).body;
  }

  stopped(): Promise<Stopped> {
    return this.until(async () => {});
  }

  async frames(): Promise<DebugProtocol.StackFrame[]> {
    return (await this.client.stackTraceRequest({ threadId: 1 })).body.stackFrames;
  }

  /** The guest's current place: `kernel.S:12`, or an address. */
  async where(): Promise<string> {
    const [frame] = await this.frames();
    return frame!.source === undefined
      ? frame!.instructionPointerReference!
      : `${frame!.source.name}:${frame!.line}`;
  }

  next(granularity: DebugProtocol.SteppingGranularity = 'line'): Promise<Stopped> {
    return this.until(() => this.client.nextRequest({ threadId: 1, granularity }));
  }
  stepIn(granularity: DebugProtocol.SteppingGranularity = 'line'): Promise<Stopped> {
    return this.until(() => this.client.stepInRequest({ threadId: 1, granularity }));
  }
  stepBack(granularity: DebugProtocol.SteppingGranularity = 'line'): Promise<Stopped> {
    return this.until(() => this.client.stepBackRequest({ threadId: 1, granularity }));
  }
  reverse(): Promise<Stopped> {
    return this.until(() => this.client.reverseContinueRequest({ threadId: 1 }));
  }
  stepOut(): Promise<Stopped> {
    return this.until(() => this.client.stepOutRequest({ threadId: 1 }));
  }
  continue(): Promise<Stopped> {
    return this.until(() => this.client.continueRequest({ threadId: 1 }));
  }

  /** Continues to the end and returns the exit code. */
  async finish(): Promise<number> {
    const exited = this.client.waitForEvent('exited') as Promise<DebugProtocol.ExitedEvent>;
    const terminated = this.client.waitForEvent('terminated');
    await Promise.all([this.client.continueRequest({ threadId: 1 }), exited, terminated]);
    return (await exited).body.exitCode;
  }

  async evaluate(expression: string, context = 'watch'): Promise<string> {
    return (await this.client.evaluateRequest({ expression, context })).body.result;
  }

  async scope(name: string): Promise<DebugProtocol.Scope> {
    const { body } = await this.client.scopesRequest({ frameId: 1 });
    const found = body.scopes.find((scope) => scope.name === name);
    assert.ok(found, `no scope ${name}`);
    return found;
  }

  async variables(reference: number): Promise<Map<string, Variable>> {
    const { body } = await this.client.variablesRequest({ variablesReference: reference });
    return new Map(body.variables.map((variable) => [variable.name, variable]));
  }

  /** The message of a request that is refused. */
  async refused(command: string, args: unknown): Promise<string> {
    try {
      await this.client.customRequest(command, args);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail(`${command} was not refused`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.status;
  }
}

/** An editor whose adapter is a process. */
export class ProcessEditor extends Editor {
  readonly child: ChildProcess;
  errors = '';

  constructor() {
    const child = spawn(process.execPath, [cli, 'dap'], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
    super(child);
    this.child = child;
    child.stdin!.on('error', () => {});
    child.stderr!.on('data', (text) => {
      this.errors += text;
    });
  }
}
