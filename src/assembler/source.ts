/**
 * A statement's position, and its errors.
 *
 * @module
 */
import { TerrariumError } from '../errors.js';

/** A place in a source. */
export interface Origin {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The uses of macros that led here, innermost first. */
  readonly from?: Origin;
}

/** A message of the assembler about a source. */
export interface Complaint {
  readonly origin: Origin;
  /** From 1; the statement's start where the exact column is not known. */
  readonly column: number;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Thrown while a statement is read: the reader of statements adds the statement's position. */
export class SourceError extends Error {
  /** From 0, in the statement's text; -1 where it is the whole statement. */
  readonly at: number;
  readonly hint: string | undefined;

  constructor(message: string, at = -1, hint?: string) {
    super(message);
    this.at = at;
    this.hint = hint;
  }
}

/** `k.S:3:5: unknown instruction 'mvo'`, with what to do in brackets. */
export function complaintText({ origin, column, message, hint }: Complaint): string {
  const used = origin.from === undefined ? '' : ` (from ${origin.from.file}:${origin.from.line})`;
  const help = hint === undefined ? '' : ` (${hint})`;
  return `${origin.file}:${origin.line}:${column}: ${message}${help}${used}`;
}

/** A source that cannot be assembled, with all of its errors. */
export class AssemblerError extends TerrariumError {
  readonly complaints: readonly Complaint[];

  constructor(complaints: readonly Complaint[]) {
    super('EASSEMBLER', complaints.map(complaintText).join('\n'));
    this.complaints = complaints;
  }
}
