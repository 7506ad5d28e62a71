// The privilege level and the type of the current code.
import { CPL, CR0, MODE, MODE_CODE64 } from '../../layout';
import { systemFlag, VM } from './flags';

/** The current privilege level. */
export function level(): u32 {
  return load<u32>(CPL);
}

/** True in real-address and virtual-8086 mode. */
export function realMode(): bool {
  return (load<u32>(CR0) & 1) == 0 || systemFlag(VM);
}

/** True while 64-bit code runs: it has no segmentation except the bases of FS and GS (SDM 3A 3.2.4). */
export function code64(): bool {
  return (load<u32>(MODE) & MODE_CODE64) != 0;
}
