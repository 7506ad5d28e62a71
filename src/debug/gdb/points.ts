import type { Watchpoint } from '../../engine/contract/index.js';
import { errorText } from '../errors.js';
import type { DebugTarget } from '../target.js';
import { rangeOf } from './packets.js';
import type { KnownBreakpoints } from './stop-reply.js';

/** By the type in `Z` packets. */
const watchKinds: Readonly<Record<string, Watchpoint['on']>> = { 2: 'write', 3: 'read', 4: 'access' };

/** The breakpoints and watchpoints of one gdb. */
export class GdbPoints {
  readonly known = { software: new Set<bigint>(), hardware: new Set<bigint>() } satisfies KnownBreakpoints;
  readonly #target: DebugTarget;
  /** The points that gdb believes to be set, and why they are not. */
  readonly #refused = new Map<string, string>();

  constructor(target: DebugTarget) {
    this.#target = target;
  }

  /** Why the guest cannot run with all of gdb's points; undefined where it can. */
  get refusal(): string | undefined {
    const [words] = this.#refused.values();
    return words;
  }

  /** A `Z` (set) or `z` packet: `type,address,length`. Gives the reply. */
  async change(set: boolean, text: string): Promise<string> {
    const [type = '', where = '', size = ''] = text.split(';')[0]!.split(',');
    const { address, length } = rangeOf(`${where},${size}`);
    const known = type === '0' ? this.known.software : type === '1' ? this.known.hardware : undefined;
    const on = watchKinds[type];
    if (known === undefined && on === undefined) return '';
    const key = `${type},${address},${length}`;
    // A refused point cannot be removed.
    if (!set && this.#refused.delete(key)) return 'OK';
    try {
      if (known !== undefined) await this.#breakpoint(known, address, set);
      else if (set) await this.#target.watch(address, length, on!);
      else await this.#target.unwatch(address, length, on!);
    } catch (error) {
      // gdb does not show the message of such an error, but it shows that of a guest that cannot run.
      this.#refused.set(key, errorText(error));
    }
    return 'OK';
  }

  async #breakpoint(known: Set<bigint>, address: bigint, set: boolean): Promise<void> {
    // gdb may send it twice (GDB manual, E.2).
    if (known.has(address) === set) return;
    if (set) await this.#target.addBreakpoint(address);
    else await this.#target.removeBreakpoint(address);
    if (set) known.add(address);
    else known.delete(address);
  }
}
