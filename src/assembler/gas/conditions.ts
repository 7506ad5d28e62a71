/**
 * Conditional assembly: .if and related directives (GNU as, 7.53).
 *
 * @module
 */
import type { Scanner } from '../scanner.js';
import { gasName } from '../scanner.js';
import { type Origin, SourceError } from '../source.js';
import { splitArguments } from './macros.js';

/** The interface that conditions need. */
export interface Asked {
  readonly origin: Origin;
  readonly program: {
    readonly symbols: ReadonlyMap<string, { label: unknown; value: unknown; expression: unknown }>;
  };
  constant(scanner: Scanner, what: string): bigint;
}

interface Condition {
  active: boolean;
  taken: boolean;
  /** The outer conditions hold. */
  readonly outer: boolean;
  readonly origin: Origin;
}

const comparisons: Readonly<Record<string, (value: bigint) => boolean>> = {
  '.if': (value) => value !== 0n,
  '.ifne': (value) => value !== 0n,
  '.ifeq': (value) => value === 0n,
  '.ifgt': (value) => value > 0n,
  '.ifge': (value) => value >= 0n,
  '.iflt': (value) => value < 0n,
  '.ifle': (value) => value <= 0n,
};

export class Conditions {
  readonly #stack: Condition[] = [];

  /** False where lines are skipped. */
  get active(): boolean {
    return this.#stack.at(-1)?.active ?? true;
  }

  /** The start of the innermost open condition. */
  get open(): Origin | undefined {
    return this.#stack.at(-1)?.origin;
  }

  /** Takes a directive that is one of these. @returns false for another */
  directive(word: string, scanner: Scanner, asked: Asked): boolean {
    if (word.startsWith('.if')) {
      const outer = this.active;
      // Skipped lines are not parsed.
      const holds = outer && this.#holds(word, scanner, asked);
      this.#stack.push({ active: holds, taken: holds, outer, origin: asked.origin });
      return true;
    }
    const condition = this.#stack.at(-1);
    switch (word) {
      case '.else':
      case '.elseif': {
        if (condition === undefined) throw new SourceError(`${word} without .if`);
        const asks = condition.outer && !condition.taken;
        condition.active = asks && (word === '.else' || this.#holds('.if', scanner, asked));
        condition.taken ||= condition.active;
        return true;
      }
      case '.endif':
        if (this.#stack.pop() === undefined) throw new SourceError('.endif without .if');
        return true;
      default:
        return false;
    }
  }

  #holds(word: string, scanner: Scanner, asked: Asked): boolean {
    const compare = comparisons[word];
    if (compare !== undefined) return compare(asked.constant(scanner, `the condition of ${word}`));
    switch (word) {
      case '.ifdef':
      case '.ifndef':
      case '.ifnotdef': {
        const name = scanner.match(gasName) ?? '';
        const symbol = asked.program.symbols.get(name);
        const isDefined =
          symbol !== undefined &&
          (symbol.label !== undefined || symbol.value !== undefined || symbol.expression !== undefined);
        return isDefined === (word === '.ifdef');
      }
      case '.ifb':
      case '.ifnb':
        return (scanner.rest().trim() === '') === (word === '.ifb');
      case '.ifc':
      case '.ifnc':
      case '.ifeqs':
      case '.ifnes': {
        const [a = '', b = ''] = splitArguments(scanner.rest()).map((one) =>
          one.replace(/^(['"])(.*)\1$/, '$2'),
        );
        return (a === b) === (word === '.ifc' || word === '.ifeqs');
      }
      default:
        throw new SourceError(`unknown condition ${word}`);
    }
  }
}
