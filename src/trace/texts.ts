/**
 * Descriptions of entries, in addition to the columns of the exit log: each list is indexed by an entry's place in the log's ring. An empty
 * text means none.
 */
export interface TraceTexts {
  /** The instruction that caused the exit. */
  readonly instructions: string[];
  /** The register that the access reached, in its device's words. */
  readonly registers: string[];
  /** The meaning of the value, in its device's words. */
  readonly meanings: string[];
  /** 1 where the access was a call: its words are shown without a value. */
  readonly calls: Uint8Array;
}

/** Empty texts for a log of `capacity` entries. */
export function traceTexts(capacity: number): TraceTexts {
  const empty = () => new Array<string>(capacity).fill('');
  return { instructions: empty(), registers: empty(), meanings: empty(), calls: new Uint8Array(capacity) };
}
