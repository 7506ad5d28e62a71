/**
 * The virtio devices of a machine: those that its description names, and its disks that are no ATA disks.
 *
 * @module
 */
import type { MachineSpec, VirtioName } from '../config/index.js';
import { type Drives, VirtioBlock, type VirtioDevice, VirtioEntropy } from '../devices/index.js';

/** In the order in which they get their places. */
export function virtioDevices({ virtio = [] }: MachineSpec, drives: Drives | undefined): VirtioDevice[] {
  const disks = (drives?.of('virtio') ?? []).map(
    ({ name, disk, serial }) => new VirtioBlock({ name: `virtio-${name}`, disk, ...(serial && { serial }) }),
  );
  const numbers = new Map<VirtioName, number>();
  const others = virtio.map((what) => {
    const number = numbers.get(what) ?? 0;
    numbers.set(what, number + 1);
    return makers[what](`virtio-${what}${number}`);
  });
  return [...disks, ...others];
}

const makers: Readonly<Record<VirtioName, (name: string) => VirtioDevice>> = {
  rng: (name) => new VirtioEntropy(name),
};
