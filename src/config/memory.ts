import type { ImageKind } from '../boot/index.js';
import { DEFAULT_MEMORY } from '../machine/index.js';
import type { MachineSpec } from './fields.js';

/** Kernels for boot loaders expect as much memory as other machines have. */
const KERNEL_MEMORY = 128 * 1024 * 1024;
const kernels: ReadonlySet<ImageKind | undefined> = new Set([
  'multiboot',
  'multiboot2',
  'linux',
  'linux16',
  'linux32',
  'linux64',
  'pvh',
]);

/** Bytes of RAM from address 0 of a machine that runs an image of that kind. */
export function memoryOf({ memory }: MachineSpec, { kind }: { kind?: ImageKind }): number {
  return memory ?? (kernels.has(kind) ? KERNEL_MEMORY : DEFAULT_MEMORY);
}
