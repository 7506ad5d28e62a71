/**
 * What the tests of this room share: a launcher for a few bytes of code in real mode.
 *
 * @module
 */
import { parseImage } from '../boot/index.js';
import { kvmEngine } from '../engine/kvm/index.js';
import { asm } from '../engine/kvm/testing.js';
import { Launcher, type LauncherCallbacks, type LauncherConfig } from './index.js';

/** Bytes of RAM at 0; what lies behind is MMIO. */
export const MEMORY = 0x10000;
/** Where the guests of this file start, in real mode: behind the interrupt vectors. */
const CODE = 0x1000;

/** A launcher for code in real mode; DS is the segment behind RAM. */
export function launcher(
  code: readonly number[],
  callbacks: LauncherCallbacks,
  more: Partial<LauncherConfig> = {},
) {
  const bytes = Uint8Array.from([...asm.movAx(MEMORY >> 4), ...asm.movDsAx, ...code]);
  return new Launcher({
    engine: kvmEngine(),
    memory: MEMORY,
    image: parseImage(bytes, 'test'),
    mode: 'real',
    load: CODE,
    callbacks,
    ...more,
  });
}

/** Records every access that it is asked to, as text. */
export function recorder() {
  const log: string[] = [];
  const out =
    (name: string) =>
    (port: number, value: number): void => {
      log.push(`${name} ${port.toString(16)} ${value.toString(16)}`);
    };
  return { log, out };
}
