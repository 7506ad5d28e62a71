/**
 * The editor's breakpoints. It sends all of a kind at once, and again when one of them changes.
 *
 * @module
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import {
  type Breakpoint,
  DebugError,
  type Debugger,
  type DebugStop,
  errorText,
  type Watchpoint,
} from '../../debug/index.js';
import type { Guest } from './launch.js';
import { addressOf, hex } from './values.js';

/** A breakpoint's name in the editor's list. */
export type Kind = 'breakpoint' | 'function breakpoint' | 'instruction breakpoint' | 'data breakpoint';

/** A breakpoint as the editor requested it. */
type Wanted =
  | { kind: 'breakpoint'; path: string; spec: DebugProtocol.SourceBreakpoint }
  | { kind: 'function breakpoint'; spec: DebugProtocol.FunctionBreakpoint }
  | { kind: 'instruction breakpoint'; spec: DebugProtocol.InstructionBreakpoint }
  | { kind: 'data breakpoint'; spec: DebugProtocol.DataBreakpoint };

interface Placed {
  wanted: Wanted;
  /** A breakpoint as it was reported to the editor. */
  answer: DebugProtocol.Breakpoint & { id: number };
  /** The debugger's number; undefined for one that could not be set. */
  number: number | undefined;
}

export class Breakpoints {
  readonly #groups = new Map<string, Placed[]>();
  #nextId = 1;

  /** Sets all of a file. */
  inSource(guest: Guest, path: string, specs: readonly DebugProtocol.SourceBreakpoint[]) {
    return this.#replace(
      guest,
      `source ${path}`,
      specs.map((spec) => ({ kind: 'breakpoint', path, spec })),
    );
  }

  atFunctions(guest: Guest, specs: readonly DebugProtocol.FunctionBreakpoint[]) {
    return this.#replace(
      guest,
      'functions',
      specs.map((spec) => ({ kind: 'function breakpoint', spec })),
    );
  }

  atInstructions(guest: Guest, specs: readonly DebugProtocol.InstructionBreakpoint[]) {
    return this.#replace(
      guest,
      'instructions',
      specs.map((spec) => ({ kind: 'instruction breakpoint', spec })),
    );
  }

  onData(guest: Guest, specs: readonly DebugProtocol.DataBreakpoint[]) {
    return this.#replace(
      guest,
      'data',
      specs.map((spec) => ({ kind: 'data breakpoint', spec })),
    );
  }

  /** Sets all of them in a new guest; gives the reports for the editor. */
  async moveTo(guest: Guest): Promise<DebugProtocol.Breakpoint[]> {
    const answers: DebugProtocol.Breakpoint[] = [];
    for (const [group, before] of this.#groups) {
      const after: Placed[] = [];
      for (const { wanted, answer } of before) after.push(await this.#place(guest, wanted, answer.id));
      this.#groups.set(group, after);
      answers.push(...after.map(({ answer }) => answer));
    }
    return answers;
  }

  /** The editor's numbers and kind for what the debugger stopped at. */
  reached(numbers: readonly number[]): { ids: number[]; kind: Kind } | undefined {
    const found = [...this.#groups.values()]
      .flat()
      .filter(({ number }) => number !== undefined && numbers.includes(number));
    if (found.length === 0) return undefined;
    return { ids: found.map(({ answer }) => answer.id), kind: found[0]!.wanted.kind };
  }

  /** An unchanged one stays, with its hit count. */
  async #replace(
    guest: Guest,
    group: string,
    wanted: readonly Wanted[],
  ): Promise<DebugProtocol.Breakpoint[]> {
    const debug = debuggerOf(guest);
    const before = this.#groups.get(group) ?? [];
    const left = [...before];
    const kept = wanted.map((one) => {
      const at = left.findIndex((other) => JSON.stringify(other.wanted) === JSON.stringify(one));
      return at < 0 ? undefined : left.splice(at, 1)[0];
    });
    return debug.meanwhile(async () => {
      for (const { number, wanted } of left) {
        if (number === undefined) continue;
        if (wanted.kind === 'data breakpoint') await debug.removeWatchpoint(number);
        else await debug.removeBreakpoint(number);
      }
      const after: Placed[] = [];
      for (const [i, one] of wanted.entries())
        after.push(kept[i] ?? (await this.#place(guest, one, this.#nextId++)));
      this.#groups.set(group, after);
      return after.map(({ answer }) => answer);
    });
  }

  /** Sets one, or says why it cannot be set. */
  async #place(guest: Guest, wanted: Wanted, id: number): Promise<Placed> {
    try {
      const found = await set(guest, debuggerOf(guest), wanted);
      return { wanted, number: found.id, answer: { id, verified: true, ...describe(guest, wanted, found) } };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const answer = { id, verified: false, message: errorText(error), reason: 'failed' as const };
      return { wanted, number: undefined, answer };
    }
  }
}

function debuggerOf({ debug }: Guest): Debugger {
  if (debug === undefined) throw new DebugError('the guest runs without a debugger');
  return debug;
}

function set(guest: Guest, debug: Debugger, wanted: Wanted): Promise<Breakpoint | Watchpoint> {
  const { condition, hitCondition } = wanted.spec;
  const options = {
    ...(condition !== undefined && { condition }),
    ...(hitCondition !== undefined && { hitCondition }),
  };
  switch (wanted.kind) {
    case 'breakpoint': {
      const file = guest.sources.fileAt(wanted.path);
      if (file === undefined) throw noCodeOf(guest, wanted.path);
      const { line, logMessage } = wanted.spec;
      return debug.addLineBreakpoint(file, line, { ...options, ...(logMessage && { log: logMessage }) });
    }
    case 'function breakpoint':
      return debug.addBreakpoint(wanted.spec.name, options);
    case 'instruction breakpoint': {
      const { instructionReference, offset = 0 } = wanted.spec;
      return debug.addBreakpoint(addressOf(instructionReference) + BigInt(offset), options);
    }
    case 'data breakpoint': {
      const { dataId, accessType = 'write' } = wanted.spec;
      const [address, length] = dataId.split('/');
      if (accessType === 'read')
        throw new DebugError('no x86 processor watches for reads alone', 'watch reads and writes');
      const on = accessType === 'write' ? 'write' : 'access';
      return debug.addWatchpoint(addressOf(address!), Number(length), on, options);
    }
  }
}

function noCodeOf({ sources, symbols }: Guest, path: string): DebugError {
  const known = sources.all.map(({ name }) => name).slice(0, 8);
  if (known.length > 0)
    return new DebugError(`this guest has no code from ${path}`, `it is made of ${known.join(', ')}`);
  const why =
    symbols.symbols.length > 0 ? 'it has only symbols, and no lines' : 'it has neither symbols nor lines';
  return new DebugError(
    `this guest's image does not contain its source lines: ${why}`,
    'let "program" be the source, or compile with -g; breakpoints at addresses work',
  );
}

function describe(
  guest: Guest,
  wanted: Wanted,
  found: Breakpoint | Watchpoint,
): Partial<DebugProtocol.Breakpoint> {
  if ('address' in found) return { message: `${found.length} bytes at ${hex(found.address)}` };
  const source = found.source && guest.sources.sourceOf(found.source.file);
  const moved = wanted.kind === 'breakpoint' && found.source && found.source.line !== wanted.spec.line;
  return {
    instructionReference: hex(found.addresses[0]!),
    ...(source && found.source && { source, line: found.source.line }),
    ...(moved && {
      message: `line ${wanted.spec.line} has no code: the next line with code is ${found.source.line}`,
    }),
  };
}

/** `, by the instruction at <bump+0x13>  w.c:5`: the line that an editor marks is that of the next instruction. */
export function accessorWords({ symbols }: Guest, { by, back }: DebugStop): string {
  if (by === undefined || back) return '';
  return `, by the instruction at ${symbols.locate(by) ?? hex(by)}`;
}
