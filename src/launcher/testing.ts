/**
 * What the tests of this room share: a launcher for a few bytes of code in real mode, on either engine.
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
/** Where the guests of this file start, in real mode: behind the interrupt vectors. */
const CODE = 0x1000;

/** What a launcher is tried on, and why it cannot be here. */
export const engines: readonly { name: string; skip: string | false; make: () => Engine }[] = [
  // In real mode every KVM keeps a debugger's steps.
  { name: 'kvm', skip: noKvm(), make: () => kvmEngine({ trustGuestDebug: true }) },
  { name: 'soft', skip: false, make: () => softEngine(softProgram()) },
];

/** What a launcher's code begins with: DS := the segment behind RAM. */
const PROLOGUE = [...asm.movAx(MEMORY >> 4), ...asm.movDsAx];

/** The address behind the last byte of such code. */
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
