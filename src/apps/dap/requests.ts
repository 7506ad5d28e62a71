/**
 * Requests that only read: where the guest is stopped, the value of an expression, the address of code.
 *
 * @module
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { DebugError, type Debugger, errorText, type Frame } from '../../debug/index.js';
import { nearestNames } from '../../nearest.js';
import { registerViewNames } from '../../x86/index.js';
import type { Guest } from './launch.js';
import { disassemble, readMemory } from './memory.js';
import { replWords, runWord } from './repl.js';
import { MOST_CPUS, selectThread } from './threads.js';
import { addressOf, hex, numberOf } from './values.js';
import type { Variables } from './variables.js';

/** The result of a request's handler: the body of its response, and what to do after the response. */
export interface Answer {
  body?: unknown;
  after?: () => void;
}

export type Handler = (args: never) => Answer | Promise<Answer>;

/**
 * The requests that change nothing.
 * @param here the guest
 * @param still the parts that can be read while it is stopped; throws while it runs
 */
export function askingHandlers(
  here: () => Guest,
  still: () => { debug: Debugger; variables: Variables },
): Record<string, Handler> {
  return {
    stackTrace: async (args: DebugProtocol.StackTraceArguments) => ({
      body: await stackTrace(here(), still().debug, args),
    }),
    scopes: async ({ frameId }: DebugProtocol.ScopesArguments) => {
      const { cpu, frame } = frameOf(frameId);
      const { debug, variables } = still();
      await debug.select(cpu);
      return { body: { scopes: await variables.scopes(frame) } };
    },
    variables: async ({ variablesReference, start, count }: DebugProtocol.VariablesArguments) => ({
      body: { variables: await still().variables.children(variablesReference, start, count) },
    }),
    readMemory: async (args: DebugProtocol.ReadMemoryArguments) => ({
      body: await readMemory(still().debug, args),
    }),
    disassemble: async (args: DebugProtocol.DisassembleArguments) => ({
      body: await disassemble(still().debug, here().sources, args),
    }),
    dataBreakpointInfo: async (args: DebugProtocol.DataBreakpointInfoArguments) => ({
      body: await dataBreakpointInfo(still().debug, still().variables, args),
    }),
    breakpointLocations: (args: DebugProtocol.BreakpointLocationsArguments) => ({
      body: breakpointLocations(here(), args),
    }),
    gotoTargets: (args: DebugProtocol.GotoTargetsArguments) => ({ body: gotoTargets(here(), args) }),
    completions: (args: DebugProtocol.CompletionsArguments) => ({ body: completions(here(), args) }),
    loadedSources: () => ({ body: { sources: here().sources.all } }),
  };
}

/** The mark of a frame that is not an ordinary caller. */
const marks: Partial<Record<Frame['by'], string>> = { stack: ' (?)', interrupt: ' (interrupted)' };

const DEEPEST = 1000;
const MAX_COMPLETIONS = 100;

async function stackTrace(
  { sources }: Guest,
  debug: Debugger,
  { threadId, startFrame, levels }: DebugProtocol.StackTraceArguments,
): Promise<DebugProtocol.StackTraceResponse['body']> {
  const first = numberOf(startFrame, 0, 0, DEEPEST);
  const count = numberOf(levels, 0, 0, DEEPEST) || DEEPEST;
  // One more than requested, so that the editor knows whether there are more.
  const cpu = await selectThread(debug, threadId);
  const frames = await debug.backtrace(first + count + 1);
  const stackFrames = frames.slice(first, first + count).map((frame, i): DebugProtocol.StackFrame => {
    const source = frame.source && sources.sourceOf(frame.source.file);
    return {
      id: cpu * FRAMES + first + i + 1,
      name: `${frame.symbol ?? hex(frame.pc)}${frame.inlined ? ' (inlined)' : (marks[frame.by] ?? '')}`,
      line: source && frame.source ? frame.source.line : 0,
      column: 0,
      instructionPointerReference: hex(frame.pc),
      ...(source ? { source } : { presentationHint: 'subtle' as const }),
    };
  });
  return { stackFrames, totalFrames: frames.length };
}

/** Numbers of frames that a CPU has in the protocol, from 1 on. */
const FRAMES = 2000;

/** A frame's CPU, and its place in the stack. */
function frameOf(id: number | undefined): { cpu: number; frame: number } {
  const number = numberOf(id, 1, 1, MOST_CPUS * FRAMES) - 1;
  return { cpu: Math.floor(number / FRAMES), frame: Math.min(number % FRAMES, DEEPEST) };
}

/** Evaluates an expression, or runs a console command; only the console sets values. */
export async function evaluate(
  guest: Guest,
  variables: Variables | undefined,
  { expression, context, frameId }: DebugProtocol.EvaluateArguments,
): Promise<{ body: DebugProtocol.EvaluateResponse['body']; assigned?: true }> {
  const typed = context === 'repl';
  if (typed) {
    const said = await runWord(guest, expression);
    if (said !== undefined) return { body: { result: said, variablesReference: 0 } };
  }
  const { debug } = guest;
  if (debug === undefined) throw new DebugError('the guest runs without a debugger');
  const text = context === 'hover' ? hovered(expression, guest) : expression;
  const { cpu, frame } = frameOf(frameId);
  if (frameId !== undefined && variables !== undefined) await selectThread(debug, cpu + 1);
  const found = await debug.meanwhile(() => debug.evaluate(text, { pure: !typed, frame }));
  const { text: result, place, value, isAddress, assigned, c } = found;
  const memory = place?.kind === 'memory' ? place.address : isAddress || place ? value : undefined;
  const body = {
    result,
    ...(c && { type: c.type }),
    variablesReference: (c && variables?.referenceTo(c)) ?? 0,
    ...(memory !== undefined && { memoryReference: hex(memory) }),
  };
  return { body, ...(assigned && { assigned }) };
}

/** The expression under the mouse: assembler writes a register as `%rax` and a symbol as `$counter`. */
function hovered(expression: string, { symbols }: Guest): string {
  const [, name] = /^[$%*]+([\w.]+)$/.exec(expression.trim()) ?? [];
  if (name === undefined) return expression;
  return symbols.symbol(name) || nearestNames(name, registerViewNames)[0] === name ? name : expression;
}

function completions(
  { symbols }: Guest,
  { text, column }: DebugProtocol.CompletionsArguments,
): DebugProtocol.CompletionsResponse['body'] {
  const before = text.slice(0, numberOf(column, 1, 1, text.length + 1) - 1);
  const [word = ''] = /[\w.$%]*$/.exec(before) ?? [];
  const alone = before.trimStart() === word;
  const all = [...(alone ? replWords : []), ...registerViewNames, ...symbols.symbols.map(({ name }) => name)];
  const found = all.filter((name) => name.startsWith(word)).slice(0, MAX_COMPLETIONS);
  const start = before.length - word.length;
  return { targets: found.map((label) => ({ label, start, length: word.length })) };
}

/** Whether the selected expression can be watched, and which bytes that are. */
async function dataBreakpointInfo(
  debug: Debugger,
  variables: Variables,
  { variablesReference, name, asAddress, bytes }: DebugProtocol.DataBreakpointInfoArguments,
): Promise<DebugProtocol.DataBreakpointInfoResponse['body']> {
  const refused = (description: string) => ({ dataId: null, description });
  if (asAddress) return dataId(addressOf(name), numberOf(bytes, 1, 1, 4096));
  const expression = variablesReference ? (await variables.item(variablesReference, name)).expression : name;
  if (expression === undefined) return refused(`${name} is not memory of the guest`);
  try {
    const { place, value, size, isAddress } = await debug.evaluate(expression);
    if (place?.kind === 'memory') return dataId(place.address, bytes ?? place.size, expression);
    if (isAddress) return dataId(value, bytes ?? size, expression);
    return refused(`${name} is not memory: watch what it points to, such as [${name}]`);
  } catch (error) {
    return refused(errorText(error));
  }
}

function dataId(address: bigint, length: number, expression?: string) {
  const place = `${length} bytes at ${hex(address)}`;
  return {
    dataId: `${hex(address)}/${length}`,
    description: expression === undefined ? place : `${expression}: ${place}`,
    accessTypes: ['write' as const, 'readWrite' as const],
    canPersist: true,
  };
}

function breakpointLocations(
  { sources, symbols }: Guest,
  { source, line, endLine = line }: DebugProtocol.BreakpointLocationsArguments,
): DebugProtocol.BreakpointLocationsResponse['body'] {
  const file = sources.fileAt(source.path ?? '');
  const lines = file === undefined ? [] : symbols.lines.linesOf(file);
  return { breakpoints: lines.filter((one) => one >= line && one <= endLine).map((one) => ({ line: one })) };
}

function gotoTargets(
  { sources, symbols }: Guest,
  { source, line }: DebugProtocol.GotoTargetsArguments,
): DebugProtocol.GotoTargetsResponse['body'] {
  const file = sources.fileAt(source.path ?? '');
  const places = file && symbols.lines.placesOf(file, line);
  if (file === undefined || places === undefined) return { targets: [] };
  const targets = places.addresses.map((address) => ({
    id: Number(address),
    label: `${file.name}:${places.line}`,
    line: places.line,
    instructionPointerReference: hex(address),
  }));
  // A target's number is its address, which must fit the protocol's numbers.
  return { targets: targets.filter(({ id }) => Number.isSafeInteger(id)) };
}
