import type { Watchpoint as CpuWatchpoint } from '../engine/contract/index.js';
import type { SymbolTable } from '../symbols/index.js';
import {
  type Breakpoint,
  type BreakpointOptions,
  hitStops,
  type Location,
  type Watchpoint,
} from './breakpoints.js';
import { errorText } from './errors.js';
import { requirePure } from './evaluate.js';
import type { DebugStop } from './state.js';
import type { Stop } from './stop.js';
import type { DebugTarget } from './target.js';
import type { Value } from './value.js';

/** The events of a debugger while the guest runs. */
export interface DebuggerEvents {
  /** A breakpoint with `log` was reached. */
  log?: (text: string, at: Breakpoint | Watchpoint) => void;
}

/** The part of the debugger that breakpoints and watchpoints need. */
export interface PointsHost {
  readonly target: DebugTarget;
  readonly symbols: SymbolTable;
  readonly events: DebuggerEvents;
  evaluate(text: string, options?: { pure?: boolean }): Promise<Value>;
}

/** A debugger's breakpoints and watchpoints: set in the guest, counted, and checked whether they stop it. */
export class Points {
  readonly breakpoints = new Map<number, Breakpoint>();
  readonly watchpoints = new Map<number, Watchpoint>();
  /** The watchpoints' bytes at the last stop. */
  readonly #watched = new Map<number, bigint>();
  readonly #host: PointsHost;
  #nextId = 1;

  constructor(host: PointsHost) {
    this.#host = host;
  }

  async addBreakpoint(location: string, place: Location, options: BreakpointOptions): Promise<Breakpoint> {
    const { symbols } = this.#host;
    requireConditions(options);
    await this.#place(place.addresses);
    const symbol = symbols.symbolAt(place.addresses[0]!);
    const source = place.source ?? symbols.lines.at(place.addresses[0]!);
    const breakpoint: Breakpoint = {
      ...options,
      id: this.#nextId++,
      location,
      addresses: place.addresses,
      ...(symbol !== undefined && { symbol }),
      ...(source && { source }),
      enabled: true,
      hits: 0,
    };
    this.breakpoints.set(breakpoint.id, breakpoint);
    return breakpoint;
  }

  async removeBreakpoint(id: number): Promise<void> {
    await this.enableBreakpoint(id, false);
    this.breakpoints.delete(id);
  }

  async enableBreakpoint(id: number, enabled: boolean): Promise<void> {
    const found = this.breakpoints.get(id);
    if (found === undefined || found.enabled === enabled) return;
    if (enabled) await this.#place(found.addresses);
    else for (const address of found.addresses) await this.#host.target.removeBreakpoint(address);
    found.enabled = enabled;
  }

  /** Enabled breakpoints at a linear address. */
  breakpointsAt(address: bigint): Breakpoint[] {
    return [...this.breakpoints.values()].filter(
      ({ enabled, addresses }) => enabled && addresses.includes(address),
    );
  }

  async addWatchpoint(
    watched: Pick<Watchpoint, 'expression' | 'address' | 'length' | 'on'>,
    options: BreakpointOptions,
  ): Promise<Watchpoint> {
    requireConditions(options);
    const watchpoint: Watchpoint = { ...options, ...watched, id: this.#nextId, enabled: true, hits: 0 };
    await this.#host.target.watch(watched.address, watched.length, watched.on);
    this.#nextId++;
    this.watchpoints.set(watchpoint.id, watchpoint);
    this.#watched.set(watchpoint.id, await this.#valueOf(watchpoint));
    return watchpoint;
  }

  async removeWatchpoint(id: number): Promise<void> {
    await this.enableWatchpoint(id, false);
    this.watchpoints.delete(id);
    this.#watched.delete(id);
  }

  async enableWatchpoint(id: number, enabled: boolean): Promise<void> {
    const found = this.watchpoints.get(id);
    if (found === undefined || found.enabled === enabled) return;
    const { target } = this.#host;
    if (enabled) await target.watch(found.address, found.length, found.on);
    else await target.unwatch(found.address, found.length, found.on);
    found.enabled = enabled;
  }

  /** The guest restarts: reset the counts. */
  async restarted(): Promise<void> {
    for (const one of [...this.breakpoints.values(), ...this.watchpoints.values()]) one.hits = 0;
    await this.look();
  }

  /** The guest is at another moment: the watched values have changed. */
  async look(): Promise<void> {
    for (const [id, one] of this.watchpoints) this.#watched.set(id, await this.#valueOf(one));
  }

  /** Which of these a stopped guest has reached; `passed` where none of them stops it. */
  async reached(stop: Stop): Promise<DebugStop & { passed?: true }> {
    const notes: string[] = [];
    if (stop.why === 'watchpoint') return this.#touched(stop, stop.touched, notes);
    if (stop.why !== 'breakpoint') return { ...stop, breakpoints: [], notes };
    const reached: number[] = [];
    for (const breakpoint of this.breakpointsAt(stop.pc)) {
      if (await this.#stops(breakpoint, `breakpoint ${breakpoint.id}`, notes)) reached.push(breakpoint.id);
    }
    const passed = reached.length === 0 && { passed: true as const };
    return { ...stop, breakpoints: reached, notes, ...passed };
  }

  async #touched(
    stop: Stop,
    touched: CpuWatchpoint | undefined,
    notes: string[],
  ): Promise<DebugStop & { passed?: true }> {
    const found = [...this.watchpoints.values()].find(
      ({ enabled, address, length }) =>
        enabled && touched && touched.address >= address && touched.address < address + BigInt(length),
    );
    if (found === undefined) return { ...stop, breakpoints: [], notes };
    const before = this.#watched.get(found.id) ?? 0n;
    const after = await this.#valueOf(found);
    this.#watched.set(found.id, after);
    const stops = await this.#stops(found, `watch ${found.id}`, notes);
    const watchpoint = { id: found.id, before, after };
    return { ...stop, watchpoint, breakpoints: [], notes, ...(!stops && { passed: true as const }) };
  }

  /** Counts a hit and returns whether it stops. */
  async #stops(point: Breakpoint | Watchpoint, name: string, notes: string[]): Promise<boolean> {
    const { condition, hitCondition, log } = point;
    try {
      if (isGiven(condition) && (await this.#host.evaluate(condition)).value === 0n) return false;
      point.hits++;
      if (!hitStops(hitCondition, point.hits)) return false;
      if (log === undefined) return true;
      this.#host.events.log?.(await this.#filled(log), point);
      return false;
    } catch (error) {
      notes.push(`${name}: ${errorText(error)}`);
      return true;
    }
  }

  /** A log's text with its expressions evaluated. */
  async #filled(text: string): Promise<string> {
    const parts = text.split(/\{([^{}]*)\}/);
    for (let i = 1; i < parts.length; i += 2) {
      try {
        parts[i] = (await this.#host.evaluate(parts[i]!, { pure: true })).text;
      } catch (error) {
        parts[i] = `{${errorText(error)}}`;
      }
    }
    return parts.join('');
  }

  /** All or none. */
  async #place(addresses: readonly bigint[]): Promise<void> {
    const { target } = this.#host;
    const done: bigint[] = [];
    try {
      for (const address of addresses) {
        await target.addBreakpoint(address);
        done.push(address);
      }
    } catch (error) {
      for (const address of done) await target.removeBreakpoint(address);
      throw error;
    }
  }

  async #valueOf({ address, length }: Watchpoint): Promise<bigint> {
    try {
      const bytes = await this.#host.target.read(address, Math.min(length, 8));
      return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    } catch {
      return 0n;
    }
  }
}

function isGiven(condition: string | undefined): condition is string {
  return condition !== undefined && condition.trim() !== '';
}

/** @throws DebugError for an invalid condition */
function requireConditions({ condition, hitCondition }: BreakpointOptions): void {
  hitStops(hitCondition, 0);
  if (isGiven(condition)) requirePure(condition);
}
