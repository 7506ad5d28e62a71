/**
 * Instructions after `.intel_syntax noprefix`.
 *
 * @module
 */
import type { CodeSize } from '../../isa/index.js';
import { intelInstruction as read } from '../intel.js';
import type { Grammar } from '../parse-expression.js';
import type { Scanner } from '../scanner.js';
import type { Candidates } from './att.js';

export function intelInstruction(scanner: Scanner, grammar: Grammar, code: CodeSize): Candidates {
  return read(scanner, { nasm: false, relative: false, grammar }, code);
}
