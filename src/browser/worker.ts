/**
 * The Worker's file: waits for a page's messages and answers them. While a guest runs, they are read between its slices.
 *
 * @module
 */
import '../globals.js';
import { isTerrariumError } from '../errors.js';
import { Calls } from './calls.js';
import { loadSoftEngine } from './create.js';
import { callNames, type FromWorker, type PlainError, type ToWorker } from './messages.js';

const post = (message: FromWorker, transfer: Transferable[] = []) => postMessage(message, { transfer });
let calls: Calls | undefined;

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if ('hello' in data) void begin(data.hello.program, new Int32Array(data.hello.control));
  else if ('tell' in data) calls?.notice(data);
  else void answer(data.id, data.call, data.args);
});

async function begin(program: string, words: Int32Array): Promise<void> {
  try {
    calls = new Calls({ engine: await loadSoftEngine(program), words, post });
    post({ ready: true });
  } catch (error) {
    post({ failed: plain(error) });
  }
}

async function answer(id: number, call: string, args: unknown[]): Promise<void> {
  try {
    const method = (calls as unknown as Record<string, (...args: unknown[]) => unknown> | undefined)?.[call];
    if (!callNames.has(call) || typeof method !== 'function') throw new Error(`this Worker cannot '${call}'`);
    post({ id, result: await method.apply(calls, args) });
  } catch (error) {
    post({ id, error: plain(error) });
  }
}

function plain(error: unknown): PlainError {
  const { message = String(error), stack } = error as Error;
  if (!isTerrariumError(error)) {
    console.error(stack ?? message);
    return { code: 'EINTERNAL', message };
  }
  return { code: error.code, message, ...(error.hint !== undefined && { hint: error.hint }) };
}
