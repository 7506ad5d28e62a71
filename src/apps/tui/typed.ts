import { bytesPerRow } from './panes/memory.js';
import { breakAt, watch } from './points.js';
import type { TextPrompt } from './prompts.js';
import { insideOf, type PaneContext, readMemory, refresh, type StackMemory, showCode } from './refresh.js';

/** Carries out the text that was typed into the line at the bottom. @returns a sentence about the result */
export async function doTyped(
  context: PaneContext,
  stack: StackMemory,
  kind: TextPrompt,
  text: string,
): Promise<string> {
  switch (kind) {
    case 'breakpointAt':
      return breakAt(context, text);
    case 'watch':
      return watch(context, text);
    case 'evaluate': {
      const value = await context.debugger.evaluate(text);
      // Another future begins: the rest of the timeline is a different one.
      const { timeline } = context.model;
      if (value.assigned && timeline !== undefined) timeline.pieces = new Map();
      // It may have been an assignment.
      await refresh(context, stack);
      return `${text} is ${value.text}`;
    }
    case 'memory':
      return goToMemory(context, text);
    case 'code':
      return goToCode(context, text);
  }
}

async function goToMemory(context: PaneContext, text: string): Promise<string> {
  const { value, place } = await context.debugger.evaluate(text);
  const address = place?.kind === 'memory' ? place.address : value;
  const row = BigInt(bytesPerRow(insideOf(context.places(), 'memory').width, address));
  context.model.memory = { address: address - (address % row), bytes: new Uint8Array(0) };
  context.model.memoryBefore = undefined;
  await readMemory(context);
  return `memory from 0x${address.toString(16)} on`;
}

/** Empty: back to the next instruction. */
async function goToCode(context: PaneContext, text: string): Promise<string> {
  const { model, debugger: held } = context;
  const { addresses } = text === '' ? { addresses: [model.pc] } : await held.locate(text);
  model.cursor = addresses[0]!;
  model.focus = 'code';
  await showCode(context, model.cursor);
  return `code at ${held.symbols.locate(model.cursor) ?? `0x${model.cursor.toString(16)}`}`;
}
