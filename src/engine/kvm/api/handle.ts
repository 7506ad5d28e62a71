import { errnoNumbers } from './errno.js';
import { callFailed, closedHandle } from './errors.js';
import * as ioctls from './ioctls.js';
import { type Libc, libc, type Pointer } from './libc.js';

/** The name of an ioctl number, such as `KVM_RUN`. */
export function ioctlName(request: number): string {
  names ??= new Map(Object.entries(ioctls).map(([name, number]) => [number, name]));
  return names.get(request) ?? `ioctl 0x${request.toString(16)}`;
}
let names: ReadonlyMap<number, string> | undefined;

/** The part of the KVM device that its VMs and vCPUs need. */
export interface Host {
  checkExtension(capability: number): number;
  vcpuMmapSize(): number;
  /** True where KVM_CHECK_EXTENSION works on a VM's file descriptor. */
  readonly checksExtensionsOfVms: boolean;
}

/**
 * A file descriptor of KVM and the objects that depend on it. Closing it twice has no effect; using it afterwards
 * throws.
 */
export abstract class Handle implements Disposable {
  /** Its name in errors: `vCPU 0`. */
  readonly name: string;
  protected readonly libc: Libc = libc();
  #fd: number;
  #children = new Set<Disposable>();
  #parent: Handle | undefined;
  #closing = false;

  constructor(name: string, fd: number, parent?: Handle) {
    this.name = name;
    this.#fd = fd;
    this.#parent = parent;
    if (parent !== undefined) parent.#children.add(this);
  }

  /** The file descriptor. @throws KvmError `ECLOSED` after the handle was closed. */
  get fd(): number {
    if (this.#fd < 0) throw closedHandle(this.name);
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd < 0;
  }

  /** For requests that need no system call. @throws KvmError `ECLOSED` */
  protected requireOpen(): void {
    if (this.#fd < 0) throw closedHandle(this.name);
  }

  /**
   * An ioctl that takes a number. Returns its result; throws a KvmError where it fails. A signal (of a profiler or
   * timer) may interrupt KVM_CREATE_VM and others before they do anything (KVM API 4.2): then the call is repeated.
   */
  protected control(request: number, value = 0): number {
    for (;;) {
      const result = this.libc.ioctl(this.fd, request, value);
      if (result >= 0) return result;
      const errno = this.libc.errno();
      if (errno !== errnoNumbers.EINTR) throw callFailed(ioctlName(request), errno);
    }
  }

  /** Registers an object that uses this handle and must be disposed before it. */
  protected adopt(user: Disposable): void {
    this.#children.add(user);
  }

  /** An ioctl that takes a structure; as `control`. */
  protected transfer(request: number, pointer: Pointer): number {
    for (;;) {
      const result = this.libc.ioctlPointer(this.fd, request, pointer);
      if (result >= 0) return result;
      const errno = this.libc.errno();
      if (errno !== errnoNumbers.EINTR) throw callFailed(ioctlName(request), errno);
    }
  }

  /** Releases resources that must be released before the file descriptor is closed. */
  protected release(): void {}

  /** Closes everything that was made from this handle, then the handle. */
  [Symbol.dispose](): void {
    // A child that disposes its parent calls this again.
    if (this.#closing) return;
    this.#closing = true;
    for (const child of [...this.#children].reverse()) child[Symbol.dispose]();
    this.release();
    this.libc.close(this.#fd);
    this.#fd = -1;
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
    this.#parent = undefined;
  }
}

/**
 * Calls an ioctl that fills a list of unknown length: its first word is the number of entries that fit, and KVM returns
 * E2BIG until that is enough (KVM API 4.46).
 */
export function transferList(
  call: (buffer: DataView) => number,
  request: number,
  headerBytes: number,
  entryBytes: number,
  guess: number,
): DataView {
  for (let room = guess; room <= 65536; room *= 2) {
    const buffer = new DataView(new ArrayBuffer(headerBytes + room * entryBytes));
    buffer.setUint32(0, room, true);
    if (call(buffer) >= 0) return buffer;
    const errno = libc().errno();
    if (errno !== errnoNumbers.E2BIG) throw callFailed(ioctlName(request), errno);
  }
  throw callFailed(ioctlName(request), errnoNumbers.E2BIG);
}
