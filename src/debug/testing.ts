import { kvmEngine } from '../engine/kvm/index.js';

function noKvm(): string | false {
  try {
    return kvmEngine().device.closed ? 'SKIPPED: the KVM device is closed' : false;
  } catch (error) {
    return `SKIPPED: KVM cannot be used here: ${(error as Error).message}`;
  }
}

/** The engines that this room's tests run on, and why one is skipped. */
export const testEngines = [
  { engine: 'soft' as const, skip: false as string | false },
  { engine: 'kvm' as const, skip: noKvm() },
];
