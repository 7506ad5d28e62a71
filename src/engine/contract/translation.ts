/**
 * The work of a CPU's translator, and the results for guest code.
 *
 * @module
 */

/** The statistics of a CPU's translator, which turns guest code into host code. */
export interface Translation {
  /** Guest instructions that ran, and how many of them ran translated, approximately. */
  readonly instructions: number;
  readonly translated: number;
  /** How often translated code was left before its end, because of an unusual case. */
  readonly left: number;
  /**
   * The places where it was left most often, at most ten; with `enters`, it continued there in code that is not
   * translated.
   */
  readonly places: readonly { readonly rip: bigint; readonly times: number; readonly enters: boolean }[];
  /** Functions that were made, and the guest instructions in them. */
  readonly functions: number;
  readonly size: number;
  /** Bytes of WebAssembly, and milliseconds spent making it. */
  readonly bytes: number;
  readonly ms: number;
  /** The reason, if no more is translated. */
  readonly stopped?: string;
}

/** A translated function in a list. */
export interface TranslatedSummary {
  /** Guest physical address of its first instruction. */
  readonly address: number;
  /** Guest instructions in it. */
  readonly instructions: number;
  /** Bytes of WebAssembly. */
  readonly bytes: number;
}

/** A piece of a translated function: an instruction's, or the code around them. */
export interface TranslatedPart {
  /** Guest physical address of the instruction, and its bytes when it was translated. */
  readonly address?: number;
  readonly bytes?: Uint8Array;
  /** The decoder's result, as text. */
  readonly record?: string;
  /** WebAssembly's text format, an instruction a line. */
  readonly code: readonly string[];
}

/** A translated function, as a listing. */
export interface TranslatedFunction {
  /** Guest physical address of its first instruction. */
  readonly address: number;
  readonly code: 16 | 32 | 64;
  /** Bytes of WebAssembly. */
  readonly bytes: number;
  /** In the order of the function's code. */
  readonly parts: readonly TranslatedPart[];
}

/** The current translations. */
export interface TranslatedCode {
  list(): readonly TranslatedSummary[];
  /** The function that has the instruction at a guest physical address. */
  at(address: number): TranslatedFunction | undefined;
}
