/**
 * Reads the content of the panes from the guest into the model.
 *
 * @module
 */
import { type Debugger, errorText, type ListingLine, stackPointer } from '../../debug/index.js';
import type { Place } from './layout.js';
import type { Bytes, CodeRow, Model, PaneName, StackWord } from './model.js';
import { seenRows } from './panes/code.js';
import { byteAt, bytesPerRow } from './panes/memory.js';
import { pointsOf } from './points.js';
import type { SourceText } from './source-text.js';
import { modeWords } from './words.js';

/** Pushes write below the stack pointer: this many bytes there are stored, to find changes. */
const BELOW_STACK = 64;

export interface PaneContext {
  model: Model;
  debugger: Debugger;
  sources: SourceText;
  /** The current places of the panes. */
  places(): readonly Place[];
}

/** The stack's bytes at the last stop. */
export interface StackMemory {
  before?: Bytes | undefined;
  now?: Bytes;
}

/** The size of a pane's inside; a small one for a hidden pane, so that it is not empty when it is shown. */
export function insideOf(places: readonly Place[], pane: PaneName): { width: number; height: number } {
  const place = places.find((one) => one.pane === pane);
  return place === undefined ? { width: 60, height: 4 } : { width: place.width, height: place.height - 1 };
}

/** Reads everything, after the guest has run or was changed. The cursor moves to the next instruction. */
export async function refresh(context: PaneContext, stack: StackMemory): Promise<void> {
  const { model } = context;
  const state = await context.debugger.state();
  model.before = model.view;
  model.view = state.view;
  model.bits = state.bits;
  const { count, current } = await context.debugger.cpus();
  model.mode = `${count > 1 ? `CPU ${current} of ${count}  ` : ''}${modeWords(state.view, state.bits)}`;
  model.pc = state.pc;
  model.cursor = state.pc;
  model.scroll.stack = 0;
  model.points = pointsOf(context.debugger);
  model.memoryBefore = model.memory;
  stack.before = stack.now;
  await readLocals(context);
  await refreshPlaces(context, stack);
}

/** Reads the parts that depend on the panes' sizes and addresses. */
export async function refreshPlaces(context: PaneContext, stack: StackMemory): Promise<void> {
  await showCode(context, context.model.cursor);
  await readStack(context, stack);
  await readMemory(context);
}

/** Lists code so that an address is visible; the listing does not move where it is visible already. */
export async function showCode(context: PaneContext, address: bigint): Promise<void> {
  const { model } = context;
  const { width, height } = insideOf(context.places(), 'code');
  const top = model.code[0]?.address;
  if (top !== undefined && top <= address) {
    await listFrom(context, top, 0);
    // The next two lines are visible as well.
    const seen = model.code.slice(0, Math.max(1, seenRows(model, width, height) - 2));
    if (seen.some((row) => row.address === address)) return;
  }
  await listFrom(context, address, Math.floor(height / 4));
}

/** Lists `before` instructions before an address and as many after it as fit. */
export async function listFrom(context: PaneContext, address: bigint, before: number): Promise<void> {
  const { model } = context;
  const { height } = insideOf(context.places(), 'code');
  const lines = await context.debugger.disassemble(address, { before, after: height });
  const first = lines.findIndex((line) => line.address === address || !isFiller(line));
  model.code = lines
    .slice(Math.max(0, first))
    .map((line, i, shown) => codeRow(line, shown[i - 1], context.sources));
}

/** Memory that was never written is not code, though its zeros decode as instructions. */
function isFiller({ bytes, label, source }: ListingLine): boolean {
  return label === undefined && source === undefined && bytes.every((byte) => byte === 0);
}

function codeRow(line: ListingLine, above: ListingLine | undefined, sources: SourceText): CodeRow {
  const { address, bytes, label, source } = line;
  const text = namesAlone(line.text);
  const begins =
    source !== undefined &&
    (above?.source === undefined ||
      above.source.line !== source.line ||
      above.source.file.path !== source.file.path);
  if (!begins) return { address, bytes, text, ...(label !== undefined && { label }) };
  const own = sources.line(source)?.replace(/\s+/g, ' ');
  const place = `${source.file.name}:${source.line}`;
  return {
    address,
    bytes,
    text,
    ...(label !== undefined && { label }),
    source: { place, ...(own !== undefined && { text: own }) },
  };
}

/**
 * `call count` for `call 0x10001a <count>`, and `[counter]` for `[rip+0x1f] # 0x100040 <counter>`: there is little room, and `e
 * &counter` shows the number.
 */
function namesAlone(text: string): string {
  return text
    .replace(/0x[\da-f]+ <([^>]+)>/g, '$1')
    .replace(/\[rip[+-]0x[\da-f]+\](.*) # ([^ ]+)$/, '[$2]$1');
}

/** The variables of the current function; when the function is a different one, its variables do not count as changed. */
async function readLocals({ model, debugger: held }: PaneContext): Promise<void> {
  if (held.symbols.debugInfo === undefined) return;
  const before = model.locals ?? [];
  const shown = await held.locals();
  const same = before.length === shown.length && shown.every(({ name }, i) => before[i]!.name === name);
  model.locals = shown.map(({ name, text, parameter }, i) => ({
    name,
    text,
    parameter: parameter ?? false,
    changed: same && before[i]!.text !== text,
  }));
}

/** The words from the stack pointer on, or from where the pane is scrolled to. */
export async function readStack(context: PaneContext, seen: StackMemory): Promise<void> {
  const { model, debugger: held } = context;
  const { height } = insideOf(context.places(), 'stack');
  const { view, bits } = model;
  if (view === undefined) return;
  const size = bits / 8;
  const down = model.scroll.stack * size;
  const pointer = stackPointer(view) + BigInt(down);
  try {
    const { address, bytes } = await readAround(held, pointer, Math.max(height, 8) * size);
    seen.now = { address, bytes };
    model.stackProblem = undefined;
    const skip = Number(pointer - address);
    const found = words(seen, pointer, bytes.subarray(skip, skip + height * size), size, (value) =>
      symbolOf(held, value),
    );
    model.stack = found.map((word) => ({ ...word, offset: word.offset + down }));
  } catch (error) {
    model.stack = [];
    model.stackProblem = errorText(error);
  }
}

async function readAround(held: Debugger, pointer: bigint, length: number): Promise<Bytes> {
  const below = pointer - BigInt(BELOW_STACK);
  if (below >= 0n) {
    try {
      const bytes = await held.target.read(below, length + BELOW_STACK);
      if (bytes.length > BELOW_STACK) return { address: below, bytes };
    } catch {
      // Nothing is mapped below: start at the stack pointer.
    }
  }
  return { address: pointer, bytes: await held.target.read(pointer, length) };
}

function words(
  { before }: StackMemory,
  pointer: bigint,
  bytes: Uint8Array,
  size: number,
  symbol: (value: bigint) => string | undefined,
): StackWord[] {
  const result: StackWord[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    let value = 0n;
    let changed = false;
    for (let i = size - 1; i >= 0; i--) {
      const byte = bytes[at + i]!;
      value = (value << 8n) | BigInt(byte);
      const was = byteAt(before, pointer + BigInt(at + i));
      changed ||= was !== undefined && was !== byte;
    }
    const name = symbol(value);
    result.push({ offset: at, value, changed, ...(name !== undefined && { symbol: name }) });
  }
  return result;
}

/** Only symbols of code: most numbers near a variable's address are not addresses. Zero is hardly ever an address. */
function symbolOf({ symbols }: Debugger, value: bigint): string | undefined {
  return value === 0n || symbols.functionAt(value) === undefined ? undefined : symbols.symbolAt(value);
}

export async function readMemory(context: PaneContext): Promise<void> {
  const { model, debugger: held } = context;
  const { width, height } = insideOf(context.places(), 'memory');
  const { address } = model.memory;
  const wanted = height * bytesPerRow(width, address);
  try {
    const bytes = await held.target.read(address, wanted);
    model.memory = { address, bytes };
    model.memoryProblem = bytes.length < wanted ? 'the memory ends here' : undefined;
  } catch (error) {
    model.memory = { address, bytes: new Uint8Array(0) };
    model.memoryProblem = errorText(error);
  }
}
