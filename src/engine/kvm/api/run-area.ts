/**
 * The mapping of `struct kvm_run`.
 *
 * A JavaScript view cannot be revoked, and reading one after munmap crashes the process. So an address range with a
 * view stays mapped for the life of the thread: to a vCPU's file while there is one, then to empty pages, then to the
 * next vCPU's file.
 *
 * @module
 */
import { callFailed } from './errors.js';
import * as c from './libc.js';

export interface RunArea {
  readonly address: bigint;
  readonly size: number;
  /** Three views of the same bytes. */
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

const idle: RunArea[] = [];
const ACCESS = c.PROT_READ | c.PROT_WRITE;
const EMPTY = c.MAP_PRIVATE | c.MAP_ANONYMOUS | c.MAP_NORESERVE;

/** Maps a vCPU's file. @throws KvmError where the kernel refuses. */
export function mapRunArea(fd: number, size: number): RunArea {
  const area = idle.pop() ?? reserve(size);
  if (BigInt(c.libc().mmap(area.address, size, ACCESS, c.MAP_SHARED | c.MAP_FIXED, fd, 0)) < 0n) {
    const errno = c.libc().errno();
    idle.push(area);
    throw callFailed('mmap', errno);
  }
  return area;
}

/** Maps empty pages over the vCPU's, so that its file can be closed and old views read zeros. */
export function unmapRunArea(area: RunArea): void {
  c.libc().mmap(area.address, area.size, ACCESS, EMPTY | c.MAP_FIXED, -1, 0);
  idle.push(area);
}

/** All mappings of a host have the same size (KVM_GET_VCPU_MMAP_SIZE), so one list of free areas is enough. */
function reserve(size: number): RunArea {
  const address = BigInt(c.libc().mmap(0, size, ACCESS, EMPTY, -1, 0));
  if (address < 0n) throw callFailed('mmap', c.libc().errno());
  const buffer = c.libc().view(address, size);
  return {
    address,
    size,
    view: new DataView(buffer),
    bytes: new Uint8Array(buffer),
    words: new Uint32Array(buffer),
  };
}
