import type { DebugAddress } from '../../../../debug/listen/index.js';
import type { DumpItem } from '../../../../inspect/index.js';
import type { LockstepName } from '../../../../runtime/index.js';
import type { BuildFlags } from '../../../frontend/build-options.js';
import type { MachineFlags } from '../../../frontend/machine-options.js';
import type { KeyTarget } from '../../../frontend/terminal.js';
import type { NameFlags } from './named.js';
import type { Screenshot } from './screenshot.js';
import type { TraceFlags } from './trace-output.js';

/** What commander has parsed of a `run`. */
export interface RunFlags extends MachineFlags, BuildFlags, NameFlags, TraceFlags {
  timeout?: number;
  maxExits?: number;
  expect?: string[];
  stat?: true;
  why?: true;
  dump?: DumpItem[];
  report?: string;
  profile?: string | true;
  speaker?: true;
  screenshot?: Screenshot[];
  watch?: true;
  safeOutput?: true;
  screen?: true;
  keys: KeyTarget;
  gdb?: DebugAddress;
  from?: string;
  save?: string;
  record?: string;
  lockstep?: LockstepName;
}
