import { bytesPerRow } from './panes/memory.js';
import { breakAt, watch } from './points.js';
import type { PromptKind } from './prompts.js';
import { insideOf, readMemory, refresh, type Sight, type StackMemory, showCode } from './refresh.js';

/** Carries out what was typed into the line at the bottom. @returns a sentence about the result */
export async function doTyped(
  sight: Sight,
  stack: StackMemory,
  kind: PromptKind,
  text: string,
): Promise<string> {
  switch (kind) {
    case 'breakpointAt':
      return breakAt(sight, text);
    case 'watch':
      return watch(sight, text);
    case 'evaluate': {
      const value = await sight.debugger.evaluate(text);
      // It may have been an assignment.
      await refresh(sight, stack);
      return `${text} is ${value.text}`;
    }
    case 'memory':
      return goToMemory(sight, text);
    case 'code':
      return goToCode(sight, text);
  }
}

async function goToMemory(sight: Sight, text: string): Promise<string> {
  const { value, place } = await sight.debugger.evaluate(text);
  const address = place?.kind === 'memory' ? place.address : value;
  const row = BigInt(bytesPerRow(insideOf(sight.places(), 'memory').width, address));
  sight.model.memory = { address: address - (address % row), bytes: new Uint8Array(0) };
  sight.model.memoryBefore = undefined;
  await readMemory(sight);
  return `memory from 0x${address.toString(16)} on`;
}

/** Empty: back to the next instruction. */
async function goToCode(sight: Sight, text: string): Promise<string> {
  const { model, debugger: held } = sight;
  const { addresses } = text === '' ? { addresses: [model.pc] } : await held.locate(text);
  model.cursor = addresses[0]!;
  model.focus = 'code';
  await showCode(sight, model.cursor);
  return `code at ${held.symbols.locate(model.cursor) ?? `0x${model.cursor.toString(16)}`}`;
}
