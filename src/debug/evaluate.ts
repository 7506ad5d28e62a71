/**
 * Evaluates expressions of a debugger's user in a stopped guest.
 *
 * @module
 */

import { VOID } from '../symbols/index.js';
import { findRegister } from '../x86/index.js';
import { parseC } from './c/syntax.js';
import { DebugError } from './errors.js';
import { evaluation, type Names } from './evaluation.js';
import { parseExpression } from './expression-syntax.js';
import { readFrom } from './reading.js';
import type { DebugTarget } from './target.js';
import type { Place, Value } from './value.js';

/** The context of expressions. */
export interface Scope extends Names {
  target: DebugTarget;
}

const MASK64 = (1n << 64n) - 1n;

/**
 * Evaluates `text`; an assignment (`rax = 5`, `word [0x500] = 'A'`) writes and returns the written value.
 * @throws DebugError with a message for the user
 */
export async function evaluate(text: string, scope: Scope): Promise<Value> {
  const tree = parseExpression(text);
  const { target } = scope;
  if (tree.kind !== 'assignment') return readFrom(target, evaluation(tree, scope));
  const { place } = await readFrom(target, evaluation(tree.place, scope));
  if (place === undefined)
    throw new DebugError('only registers and memory can be set', 'such as rax = 5 or word [0x500] = 1');
  const { value } = await readFrom(target, evaluation(tree.value, scope));
  await assign(scope, place, value);
  const after = await readFrom(target, evaluation(tree.place, { ...scope, view: await target.view() }));
  return { ...after, assigned: true };
}

/** @throws DebugError where `text` is not an expression, or would change the guest */
export function requirePure(text: string): void {
  if (treeKind(text) !== 'assignment') return;
  throw new DebugError(`'${text}' sets something, which is not allowed here`, 'to compare write ==');
}

/** Of an expression of C, or of registers and memory. */
function treeKind(text: string): string {
  try {
    // Here it does not matter which names are types.
    return parseC(text, { word: 8, type: () => VOID }).kind;
  } catch {
    return parseExpression(text).kind;
  }
}

/** Writes a register or memory; a value that does not fit is refused. */
export async function assign({ target, view }: Scope, place: Place, value: bigint): Promise<void> {
  if (place.kind === 'memory') {
    if (place.size > 8)
      throw new DebugError(`${place.size} bytes cannot be set at once`, 'set their parts one by one');
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, fitted(value, place.size * 8), true);
    return target.write(place.address, bytes.subarray(0, place.size));
  }
  const part = findRegister(place.name);
  if (part?.of === undefined) return target.setRegister(place.name, value < 0n ? value & MASK64 : value);
  const { register, shift } = part.of;
  const mask = ((1n << BigInt(part.bits)) - 1n) << BigInt(shift);
  const shifted = fitted(value, part.bits) << BigInt(shift);
  return target.setRegister(register, (view.registers[register] & ~mask) | shifted);
}

function fitted(value: bigint, bits: number): bigint {
  const limit = 1n << BigInt(bits);
  if (value >= limit || value < -(limit >> 1n))
    throw new DebugError(`${hex(value)} does not fit into ${bits} ${bits === 1 ? 'bit' : 'bits'}`);
  return BigInt.asUintN(bits, value);
}

const hex = (value: bigint) => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);
