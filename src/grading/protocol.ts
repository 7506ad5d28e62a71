/**
 * The messages between a pool and its processes, by Node's IPC.
 *
 * @module
 */
import type { Files, Verdict } from '../exercises/index.js';

export type ToChild =
  | {
      readonly type: 'exercise';
      readonly folder: string;
      readonly digest: string;
      readonly cache: string | undefined;
    }
  | { readonly type: 'job'; readonly id: number; readonly files: Files; readonly seed: string };

export type FromChild =
  | { readonly type: 'ready'; readonly version: string; readonly sandbox: string }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'done'; readonly id: number; readonly verdict: Verdict };
