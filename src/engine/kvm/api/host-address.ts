import { KvmError } from './errors.js';
import { libc } from './libc.js';

const PAGE = 4096n;

/**
 * Where bytes lie in this process: a `MemorySlot`'s `hostAddress`. Those of a shared `WebAssembly.Memory` begin at a page and
 * never move. Keep them as long as the VM: a guest goes on writing where they were.
 *
 * @throws KvmError `EINVAL` where they do not begin at a page
 */
export function hostAddress(bytes: ArrayBufferView): bigint {
  const address = libc().addressOf(bytes);
  if (address % PAGE === 0n) return address;
  throw new KvmError(
    'EINVAL',
    `the bytes lie at 0x${address.toString(16)}, which is not the start of a page`,
    {
      hint: 'take a view from the start of new WebAssembly.Memory({ initial, maximum, shared: true }).buffer',
    },
  );
}
