/**
 * Helpers of this room's tests: a launcher for a few bytes of code in real mode, on either engine.
 *
 * @module
 */
import { parseImage } from '../boot/index.js';
import type { Engine } from '../engine/contract/index.js';
import { kvmEngine } from '../engine/kvm/index.js';
import { asm, noKvm } from '../engine/kvm/testing.js';
import { softProgram } from '../engine/soft/host/testing.js';
import { softEngine } from '../engine/soft/index.js';
import { Launcher, type LauncherCallbacks, type LauncherConfig } from './index.js';

/** Bytes of RAM at 0; addresses above are MMIO. */
export const MEMORY = 0x10000;
/** The start address of these guests, in real mode: above the interrupt vectors. */
const CODE = 0x1000;

/** The engines to test, and the reason to skip one. */
export const engines: readonly { name: string; skip: string | false; make: () => Engine }[] = [
  // In real mode every KVM hides a debugger's steps from the guest.
  { name: 'kvm', skip: noKvm(), make: () => kvmEngine({ trustGuestDebug: true }) },
  { name: 'soft', skip: false, make: () => softEngine(softProgram()) },
];

/** The start of a launcher's code: DS := the segment above RAM. */
const PROLOGUE = [...asm.movAx(MEMORY >> 4), ...asm.movDsAx];

/** The address after the last byte of such code. */
export const endOf = (code: readonly number[]): bigint => BigInt(CODE + PROLOGUE.length + code.length);

/** Makes launchers on an engine, for code in real mode. */
export function launcherOn(engine: () => Engine) {
  return (
    code: readonly number[],
    callbacks: LauncherCallbacks,
    more: Partial<LauncherConfig> = {},
  ): Launcher => {
    const bytes = Uint8Array.from([...PROLOGUE, ...code]);
    return new Launcher({
      engine: engine(),
      memory: MEMORY,
      image: parseImage(bytes, 'test'),
      mode: 'real',
      load: CODE,
      callbacks,
      ...more,
    });
  };
}

/** Records every access as text. */
export function recorder() {
  const log: string[] = [];
  const out =
    (name: string) =>
    (port: number, value: number): void => {
      log.push(`${name} ${port.toString(16)} ${value.toString(16)}`);
    };
  return { log, out };
}
