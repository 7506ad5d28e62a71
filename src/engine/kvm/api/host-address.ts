import { KvmError } from './errors.js';
import { libc } from './libc.js';

const PAGE = 4096n;

/**
 * The address of bytes in this process: a `MemorySlot`'s `hostAddress`. Those of a shared `WebAssembly.Memory` begin at a page
 * and never move. Keep them as long as the VM: the guest continues to write to that address.
 *
 * @throws KvmError `EINVAL` where they do not begin at a page boundary
 */
export function hostAddress(bytes: ArrayBufferView): bigint {
  const address = libc().addressOf(bytes);
  if (address % PAGE === 0n) return address;
  throw new KvmError(
    'EINVAL',
    `the bytes are at 0x${address.toString(16)}, which is not the start of a page`,
    {
      hint: 'take a view from the start of new WebAssembly.Memory({ initial, maximum, shared: true }).buffer',
    },
  );
}
