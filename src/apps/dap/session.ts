/**
 * One session with an editor: its requests, and the events of the guest.
 *
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Event, DebugSession as ProtocolSession, Response } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { DebugError, type Debugger, type DebugStop } from '../../debug/index.js';
import type { HostedOutcome } from '../../runtime/index.js';
import { needsExplanation } from '../frontend/ending.js';
import { statusOf } from '../frontend/exit-status.js';
import { outcomeText } from '../frontend/outcome-text.js';
import { plainStyle } from '../frontend/style.js';
import { type AccessRules, requireAccess, requireAllowed } from './access-rules.js';
import { accessorWords, Breakpoints } from './breakpoints.js';
import { capabilities } from './capabilities.js';
import { type Guest, type LaunchArguments, openGuest } from './launch.js';
import { writeMemory } from './memory.js';
import { type Category, connectOutput } from './output.js';
import { seekWord } from './repl.js';
import { type Answer, askingHandlers, evaluate, type Handler } from './requests.js';
import { selectThread, threadList, threadOf } from './threads.js';
import { fullText, hex } from './values.js';
import { Variables } from './variables.js';

/** How long a guest may take to stop when the session ends: milliseconds. */
const TIMEOUT_MS = 3000;

/** What a session needs from its process. */
export interface SessionHost {
  readonly access: AccessRules;
  /** The session has ended and everything is released. */
  ended(): void;
  /** Resolves when the reader has read enough of what was sent; undefined where there is room. */
  drained(): Promise<void> | undefined;
}

export class DapSession extends ProtocolSession {
  readonly #host: SessionHost;
  readonly #breakpoints = new Breakpoints();
  readonly #handlers: Readonly<Record<string, Handler>>;
  #launch: LaunchArguments | undefined;
  #guest: Guest | undefined;
  #variables: Variables | undefined;
  #queue: Promise<void> = Promise.resolve();
  #running = false;
  #cpus = 1;
  /** The CPU that stopped last. */
  #stoppedCpu = 0;
  /** The current run, or the last one; it never rejects. */
  #motion: Promise<unknown> = Promise.resolve();
  #configured = false;
  /** The guest is dead and stopped for inspection. */
  #dead: HostedOutcome | undefined;
  #stopAtDeath = true;
  #stopAtEnd = false;
  #over = false;
  #closed = false;
  /** The client has shown its token, or was refused. */
  #trusted = false;
  #refused = false;

  constructor(host: SessionHost) {
    super();
    this.#host = host;
    this.#handlers = this.#allHandlers();
  }

  /** The client has gone or has finished: releases the machine. */
  override shutdown(): void {
    void this.close();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#guest !== undefined) await this.#giveBack(this.#guest);
    } finally {
      this.#host.ended();
    }
  }

  /** A machine handles one request at a time: the current one must end first. */
  async #giveBack({ debug, machine }: Guest): Promise<void> {
    await debug?.interrupt();
    await Promise.race([this.#motion, wait(TIMEOUT_MS, undefined, { ref: false })]);
    await machine[Symbol.asyncDispose]();
  }

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    // One after the other, in the order in which they came.
    this.#queue = this.#queue.then(() => this.#answer(request));
  }

  async #answer(request: DebugProtocol.Request): Promise<void> {
    if (this.#closed) return;
    const response = new Response(request) as DebugProtocol.Response;
    let next: Answer['after'];
    try {
      if (!this.#trusted) this.#meet(request);
      const handler = Object.hasOwn(this.#handlers, request.command) && this.#handlers[request.command];
      if (!handler) throw new DebugError(`this adapter does not support '${request.command}'`);
      const { body, after } = await handler((request.arguments ?? {}) as never);
      if (body !== undefined) response.body = body;
      next = after;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const text = fullText(error);
      // A compiler's message has lines, and its columns are aligned.
      if (text.includes('\n')) this.#say('stderr', `${text}\n`);
      response.success = false;
      response.message = text;
      // DAP would read braces as placeholders.
      const showUser = ['launch', 'attach', 'restart'].includes(request.command);
      response.body = { error: { id: 1, format: text.replace(/[{}]/g, "'"), showUser } };
    }
    this.sendResponse(response);
    if (this.#refused) await this.close();
    else next?.();
  }

  /** A client that may not debug is told why, and is disconnected. */
  #meet({ command, arguments: args }: DebugProtocol.Request): void {
    try {
      this.#trusted = requireAccess(this.#host.access, command, args);
    } catch (error) {
      this.#refused = true;
      throw error;
    }
  }

  #allHandlers(): Record<string, Handler> {
    return {
      ...askingHandlers(
        () => this.#here,
        () => this.#still,
      ),
      initialize: () => ({ body: capabilities }),
      launch: (args: LaunchArguments) => this.#open(args),
      attach: () => {
        throw new DebugError(
          'a guest can only be debugged from its start: attach is not supported',
          'take "request": "launch"; for a machine that waits with --gdb take a debugger that speaks gdb’s protocol',
        );
      },
      configurationDone: () => ({ after: () => this.#begin() }),
      setBreakpoints: async ({ source, breakpoints }: DebugProtocol.SetBreakpointsArguments) => ({
        body: {
          breakpoints: await this.#breakpoints.inSource(this.#here, source.path ?? '', breakpoints ?? []),
        },
      }),
      setFunctionBreakpoints: async ({ breakpoints }: DebugProtocol.SetFunctionBreakpointsArguments) => ({
        body: { breakpoints: await this.#breakpoints.atFunctions(this.#here, breakpoints) },
      }),
      setInstructionBreakpoints: async ({
        breakpoints,
      }: DebugProtocol.SetInstructionBreakpointsArguments) => ({
        body: { breakpoints: await this.#breakpoints.atInstructions(this.#here, breakpoints) },
      }),
      setDataBreakpoints: async ({ breakpoints }: DebugProtocol.SetDataBreakpointsArguments) => ({
        body: { breakpoints: await this.#breakpoints.onData(this.#here, breakpoints) },
      }),
      setExceptionBreakpoints: ({ filters = [] }: DebugProtocol.SetExceptionBreakpointsArguments) => {
        this.#stopAtDeath = filters.includes('died');
        this.#stopAtEnd = filters.includes('ended');
        return {};
      },
      threads: async () => ({ body: { threads: await this.#threads() } }),
      setVariable: async ({ variablesReference, name, value }: DebugProtocol.SetVariableArguments) => {
        const shown = await this.#still.variables.set(variablesReference, name, value);
        return { body: { value: shown }, after: () => this.#invalidate() };
      },
      setExpression: async ({ expression, value }: DebugProtocol.SetExpressionArguments) => {
        const { text } = await this.#still.debug.set(expression, value);
        return { body: { value: text }, after: () => this.#invalidate() };
      },
      evaluate: async (args: DebugProtocol.EvaluateArguments) => {
        const seek = seekWord(args, (text) => this.#say('console', text));
        if (seek !== undefined) return { body: { result: '', variablesReference: 0 }, after: this.#go(seek) };
        const variables = this.#running ? undefined : this.#variables;
        const { body, assigned } = await evaluate(this.#here, variables, args);
        return { body, ...(assigned && { after: () => this.#invalidate() }) };
      },
      writeMemory: async (args: DebugProtocol.WriteMemoryArguments) => ({
        body: await writeMemory(this.#still.debug, args),
        after: () => this.#invalidate(),
      }),
      exceptionInfo: () => this.#exceptionInfo(),
      goto: async ({ targetId }: DebugProtocol.GotoArguments) => {
        await this.#goto(targetId);
        return { after: () => this.#stopped('goto') };
      },
      continue: () => ({ body: { allThreadsContinued: true }, after: this.#go((debug) => debug.resume()) }),
      next: ({ threadId, granularity }: DebugProtocol.NextArguments) =>
        this.#goBy(threadId, (debug) => (granularity === 'instruction' ? debug.next() : debug.nextLine())),
      stepIn: ({ threadId, granularity }: DebugProtocol.StepInArguments) =>
        this.#goBy(threadId, (debug) => (granularity === 'instruction' ? debug.step() : debug.stepLine())),
      stepBack: ({ granularity }: DebugProtocol.StepBackArguments) => ({
        after: this.#go((debug) => (granularity === 'instruction' ? debug.nextBack() : debug.nextLineBack())),
      }),
      reverseContinue: () => ({ after: this.#go((debug) => debug.resumeBack()) }),
      stepOut: ({ threadId }: DebugProtocol.StepOutArguments) =>
        this.#goBy(threadId, (debug) => debug.finish()),
      pause: async () => {
        const { debug } = this.#here;
        if (debug === undefined) throw new DebugError('the guest runs without a debugger');
        await debug.interrupt();
        return {};
      },
      restart: (args: DebugProtocol.RestartArguments) => this.#restart(args),
      terminate: () => ({ after: () => void this.#terminate() }),
      disconnect: () => ({ after: () => void this.close() }),
    };
  }

  get #here(): Guest {
    if (this.#guest === undefined)
      throw new DebugError('there is no guest yet', 'send a launch request first');
    return this.#guest;
  }

  /** The guest while it is stopped. */
  get #still(): { debug: Debugger; variables: Variables } {
    const { debug } = this.#here;
    if (debug === undefined) throw new DebugError('the guest runs without a debugger');
    if (this.#over) throw new DebugError('the guest has ended');
    if (this.#running || this.#variables === undefined)
      throw new DebugError('the guest runs', 'pause it first');
    return { debug, variables: this.#variables };
  }

  async #open(args: LaunchArguments): Promise<Answer> {
    if (this.#guest !== undefined) throw new DebugError('a guest has already been launched');
    this.#launch = args;
    const guest = await this.#make(args);
    if (this.#closed) await this.#giveBack(guest);
    this.#guest = guest;
    const supportsStepBack = (await guest.debug?.history()) !== undefined;
    return {
      after: () => {
        if (supportsStepBack)
          this.sendEvent(new Event('capabilities', { capabilities: { supportsStepBack } }));
        // Now that the image is known, breakpoints can be set.
        this.sendEvent(new Event('initialized'));
      },
    };
  }

  async #make(args: LaunchArguments): Promise<Guest> {
    const guest = await openGuest(args, { log: (text) => this.#say('console', `${text}\n`) }, (modules) =>
      requireAllowed(this.#host.access, modules),
    );
    connectOutput(
      guest,
      (category, output) => this.#say(category, output),
      () => this.#host.drained(),
    );
    return guest;
  }

  #say(category: Category, output: string): void {
    if (output !== '' && !this.#closed) this.sendEvent(new Event('output', { category, output }));
  }

  #begin(): void {
    if (this.#guest === undefined || this.#configured) return;
    this.#configured = true;
    const { debug, machine, typed } = this.#guest;
    // Not waited for: a guest may never read its keyboard.
    if (typed !== undefined) void machine.type(typed);
    if (debug === undefined) void this.#runFree(this.#guest);
    else if (this.#launch?.stopOnEntry) this.#stopped('entry');
    else this.#go((one) => one.start())();
  }

  async #runFree(guest: Guest): Promise<void> {
    this.#running = true;
    try {
      await this.#end(await guest.machine.run());
    } catch (error) {
      await this.#failed(error);
    }
  }

  /** Lets the guest run after the answer, and reports how it stops. */
  #go(run: (debug: Debugger) => Promise<DebugStop>): () => void {
    const guest = this.#here;
    const { debug } = guest;
    if (debug === undefined) throw new DebugError('the guest runs without a debugger');
    if (this.#running) throw new DebugError('the guest is already running');
    const dead = this.#dead;
    this.#running = true;
    this.#variables = undefined;
    return () => {
      this.#motion = run(debug)
        .then((stop) => {
          if (guest !== this.#guest || this.#over) return;
          this.#running = false;
          this.#stoppedCpu = stop.cpu;
          if (stop.why === 'end' && stop.outcome)
            return this.#ended(stop.outcome, dead !== undefined && stop.again);
          this.#dead = undefined;
          this.#tell(stop);
        })
        .catch((error) => (guest === this.#guest ? this.#failed(error) : undefined));
    };
  }

  /** The same for a step, which is one of a thread's CPU. */
  async #goBy(threadId: number, run: (debug: Debugger) => Promise<DebugStop>): Promise<Answer> {
    const { debug } = this.#here;
    if (debug !== undefined && !this.#running) await selectThread(debug, threadId);
    return { after: this.#go(run) };
  }

  /** Reports where the guest is stopped now, and why. */
  #tell(stop: DebugStop): void {
    for (const note of stop.notes) this.#say('important', `${note}\n`);
    const reached = this.#breakpoints.reached(
      stop.watchpoint === undefined ? stop.breakpoints : [stop.watchpoint.id],
    );
    if (stop.watchpoint !== undefined) {
      const { before, after } = stop.watchpoint;
      const what = before === after ? `is still ${hex(after)}` : `was ${hex(before)}, is ${hex(after)}`;
      this.#stopped('data breakpoint', `${what}${accessorWords(this.#here, stop)}`, reached?.ids);
    } else if (stop.why === 'breakpoint')
      this.#stopped(reached?.kind ?? 'breakpoint', undefined, reached?.ids);
    else if (stop.why === 'begin') this.#stopped('entry', 'the history begins here');
    else this.#stopped(stop.why === 'interrupt' ? 'pause' : 'step');
  }

  #stopped(reason: string, text?: string, hitBreakpointIds?: readonly number[]): void {
    const { debug } = this.#here;
    this.#variables = debug && new Variables(this.#here, debug);
    this.sendEvent(
      new Event('stopped', {
        reason,
        threadId: threadOf(this.#stoppedCpu),
        allThreadsStopped: true,
        ...(text !== undefined && { text, description: text }),
        ...(hitBreakpointIds && { hitBreakpointIds }),
      }),
    );
  }

  /** The guest has ended: it stops once more where the client asked for that. */
  async #ended(outcome: HostedOutcome, again = false): Promise<void> {
    const died = outcome.kind === 'shutdown' || outcome.kind === 'engineError' || needsExplanation(outcome);
    if (again || !(died ? this.#stopAtDeath : this.#stopAtEnd)) return this.#end(outcome);
    this.#dead = outcome;
    const [first = ''] = outcomeText(outcome, plainStyle).split('\n');
    this.#stopped(died ? 'exception' : 'pause', first);
  }

  /** Reports how the guest ended. */
  async #end(outcome: HostedOutcome): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#running = false;
    const guest = this.#here;
    const whole = guest.debug === undefined ? outcome : await guest.machine.debugOutcome();
    const shown = { ...whole, kind: outcome.kind, reason: outcome.reason };
    this.#say('console', `${outcomeText(shown, plainStyle)}\n`);
    if (needsExplanation(outcome) && guest.debug)
      this.#say('console', `\n${await guest.debug.target.describe('why')}\n`);
    this.sendEvent(new Event('exited', { exitCode: statusOf(outcome) }));
    this.sendEvent(new Event('terminated', {}));
  }

  /** The machine itself failed: a user's device threw, or the thread has ended. */
  async #failed(error: unknown): Promise<void> {
    if (this.#over || this.#closed) return;
    this.#over = true;
    this.#running = false;
    this.#say('important', `${fullText(error as Error)}\n`);
    this.sendEvent(new Event('terminated', {}));
  }

  async #terminate(): Promise<void> {
    const guest = this.#guest;
    if (guest === undefined || this.#over) return;
    this.#over = true;
    await (guest.debug?.interrupt() ?? guest.machine.stop());
    await this.#motion;
    const status = guest.debug === undefined ? 130 : statusOf(await guest.machine.debugOutcome());
    this.sendEvent(new Event('exited', { exitCode: status }));
    this.sendEvent(new Event('terminated', {}));
  }

  /** Starts the guest again, rebuilt from its current source. */
  async #restart({ arguments: changed }: DebugProtocol.RestartArguments): Promise<Answer> {
    const before = this.#here;
    const launch = (changed as LaunchArguments | undefined) ?? this.#launch!;
    const guest = await this.#make(launch);
    this.#guest = guest;
    this.#launch = launch;
    this.#dead = undefined;
    this.#running = false;
    this.#over = false;
    this.#configured = false;
    this.#variables = undefined;
    await this.#giveBack(before);
    for (const breakpoint of guest.debug ? await this.#breakpoints.moveTo(guest) : [])
      this.sendEvent(new Event('breakpoint', { reason: 'changed', breakpoint }));
    return { after: () => this.#begin() };
  }

  /** The values that the editor shows may have changed. */
  #invalidate(): void {
    if (this.#running || this.#guest?.debug === undefined) return;
    this.#guest.debug.changed();
    this.sendEvent(new Event('invalidated', { areas: ['all'] }));
  }

  /** A thread a CPU. */
  async #threads(): Promise<{ id: number; name: string }[]> {
    const guest = this.#guest;
    // The machine's thread answers only while the guest is stopped; the number of CPUs does not change.
    if (!this.#running && guest?.debug !== undefined) this.#cpus = (await guest.debug.target.cpus()).count;
    return threadList(this.#cpus, guest?.machine.engine);
  }

  async #goto(targetId: unknown): Promise<void> {
    const { debug } = this.#still;
    if (typeof targetId !== 'number' || !Number.isSafeInteger(targetId) || targetId < 0)
      throw new DebugError('there is no such target to go to');
    await debug.target.setRegister('pc', BigInt(targetId));
    debug.changed();
  }

  async #exceptionInfo(): Promise<Answer> {
    const { debug } = this.#still;
    const outcome = this.#dead;
    if (outcome === undefined) throw new DebugError('the guest has not ended');
    return {
      body: {
        exceptionId: outcome.kind === 'shutdown' ? 'triple fault' : outcome.kind,
        description: outcome.reason,
        breakMode: 'always',
        details: { message: outcome.reason, stackTrace: await debug.target.describe('why') },
      },
    };
  }
}
