import type { Program } from './program.js';
import type { Complaint } from './source.js';

/** The environment of a source. */
export interface SourceHost {
  readonly program: Program;
  /** The bytes of a file that a source includes. */
  readonly read: (
    name: string,
    from: string,
  ) => { readonly file: string; readonly bytes: Uint8Array } | undefined;
  readonly complain: (complaint: Complaint) => void;
}
