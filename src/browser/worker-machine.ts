/**
 * A machine in a Worker, from the page's side: the guest runs there, and the page stays responsive.
 *
 * ```ts
 * await using machine = await WorkerMachine.start({ worker: 'terrarium/browser-worker.js', program: 'terrarium/soft.wasm' });
 * const built = await machine.ask('assemble', { files: [{ name: 'kernel.S', content: source }], mode: 'auto' });
 * machine.onOutput = (bytes) => console.log(new TextDecoder().decode(bytes));
 * await machine.ask('open', { spec: {}, name: 'kernel', image: built.image, symbols: built.symbols });
 * const halt = await machine.ask('go', 'resume');
 * ```
 *
 * @module
 */
import { Control, controlBytes } from '../engine/contract/index.js';
import { TerrariumError } from '../errors.js';
import {
  type CallName,
  type FromWorker,
  PAUSE_WORD,
  type PageNotice,
  type PlainError,
  type Progress,
  type ScreenArea,
  SIGNAL_WORDS,
  type ToWorker,
  type WorkerCalls,
} from './messages.js';

/** The part of `Worker` that is needed: these types also compile without the DOM's. */
export interface WorkerThread {
  postMessage(message: unknown): void;
  terminate(): void;
}

/** The Worker and the CPU's program. */
export interface WorkerFiles {
  /** `terrarium-vm/browser-worker`: a URL, or a Worker made from it. */
  readonly worker: string | URL | WorkerThread;
  /** `terrarium-vm/soft.wasm`. */
  readonly program: string | URL;
}

const runningCalls: ReadonlySet<CallName> = new Set(['go', 'goTo', 'goToExit', 'runTo', 'lastWrite']);

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** See the module's comment. Calls are answered in their order; while the guest runs, looks and points are answered as well. */
export class WorkerMachine implements AsyncDisposable {
  /** Console bytes, as they arrive. Its result is awaited: a guest that prints faster must wait. */
  onOutput: (bytes: Uint8Array) => void | Promise<void> = () => {};
  /** A changed area of the screen. */
  onScreen: (area: ScreenArea) => void = () => {};
  /** A line that the guest logs, or a log point's. */
  onLog: (line: string) => void = () => {};
  /** The guest has switched its PS/2 mouse on or off. */
  onMouse: (reports: boolean) => void = () => {};
  onProgress: (progress: Progress) => void = () => {};
  /** The Worker has ended by itself: all calls are refused from here on. */
  onEnd: (error: Error) => void = () => {};
  readonly #worker: Worker;
  readonly #words: Int32Array;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #ended: Error | undefined;
  #begun: Waiting | undefined;

  private constructor(worker: Worker, words: Int32Array) {
    this.#worker = worker;
    this.#words = words;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    worker.onerror = ({ message }) =>
      this.#end(new TerrariumError('EWORKER', `the Worker failed: ${message || 'it could not be loaded'}`));
  }

  /** Starts a Worker. @throws TerrariumError `EISOLATION` in a page that may not have shared memory; `ELOAD` */
  static async start({ worker, program }: WorkerFiles): Promise<WorkerMachine> {
    if (globalThis.crossOriginIsolated === false || typeof SharedArrayBuffer === 'undefined')
      throw new TerrariumError('EISOLATION', 'this page may not have shared memory, which guest RAM needs', {
        hint: 'serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
      });
    const words = new Int32Array(new SharedArrayBuffer(controlBytes + 4 * SIGNAL_WORDS));
    const thread = worker instanceof Worker ? worker : new Worker(worker as string | URL, { type: 'module' });
    const made = new WorkerMachine(thread, words);
    const url = new URL(program, location.href).href;
    await new Promise<void>((resolve, reject) => {
      made.#begun = { resolve: () => resolve(), reject };
      made.#post({ hello: { program: url, control: words.buffer as SharedArrayBuffer } });
    });
    return made;
  }

  /** Makes a call; see `WorkerCalls`. @throws TerrariumError with what the Worker says */
  ask<K extends CallName>(call: K, ...args: Parameters<WorkerCalls[K]>): Promise<ReturnType<WorkerCalls[K]>> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    // A pause that came after the last run is not for this run.
    if (runningCalls.has(call)) this.clearPause();
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#post({ id, call, args });
    });
  }

  /** Stops a running guest, even in a loop without an exit: its call returns with `interrupt`. */
  pause(): void {
    Atomics.store(this.#words, PAUSE_WORD, 1);
    Atomics.store(this.#words, Control.request, 1);
    Atomics.add(this.#words, Control.wake, 1);
    Atomics.notify(this.#words, Control.wake);
    this.tell({ tell: 'interrupt' });
  }

  /** Drops a pause that came too late. */
  clearPause(): void {
    Atomics.store(this.#words, PAUSE_WORD, 0);
    Atomics.store(this.#words, Control.request, 0);
  }

  /** Types bytes at the console. */
  send(bytes: Uint8Array): void {
    this.tell({ tell: 'send', bytes });
  }

  /** A key by its position, such as `KeyA`, goes down or up. */
  key(name: string, down: boolean): void {
    this.tell({ tell: 'key', name, down });
  }

  tell(notice: PageNotice): void {
    if (this.#ended === undefined) this.#post(notice);
  }

  /** Ends the Worker with its machine. */
  end(): void {
    this.#end(new TerrariumError('EWORKER', 'the Worker was ended'), false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if ('id' in message) {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ('error' in message) waiting?.reject(errorOf(message.error));
      else waiting?.resolve(message.result);
    } else if ('output' in message) void this.#show(message.output);
    else if ('screen' in message) {
      this.onScreen(message.screen);
      this.tell({ tell: 'shown' });
    } else if ('log' in message) this.onLog(message.log);
    else if ('mouse' in message) this.onMouse(message.mouse);
    else if ('progress' in message) this.onProgress(message.progress);
    else if ('ready' in message) this.#begun?.resolve(undefined);
    else this.#begun?.reject(errorOf(message.failed));
  }

  async #show(bytes: Uint8Array): Promise<void> {
    const { length } = bytes;
    try {
      await this.onOutput(bytes);
    } finally {
      this.tell({ tell: 'taken', bytes: length });
    }
  }

  #end(error: Error, tells = true): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#worker.terminate();
    this.#begun?.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    if (tells) this.onEnd(error);
  }
}

function errorOf({ code, message, hint }: PlainError): TerrariumError {
  return new TerrariumError(code, message, hint === undefined ? {} : { hint });
}
