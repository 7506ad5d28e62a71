/**
 * The C library's calls that KVM needs, through koffi. Nothing is loaded before the first use, so importing this room
 * costs nothing and works on a host that has no KVM.
 *
 * @module
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Koffi from 'koffi';
import { KvmUnavailableError } from './errors.js';

/** A pointer argument: bytes that do not move during the call, an address, or NULL. */
export type Pointer = ArrayBufferView | bigint | null;

export interface Libc {
  ioctl(fd: number, request: number, value: number): number;
  ioctlPointer(fd: number, request: number, pointer: Pointer): number;
  open(path: string, flags: number, mode: number): number;
  close(fd: number): number;
  read(fd: number, buffer: Pointer, length: number): number;
  write(fd: number, buffer: Pointer, length: number): number;
  pread(fd: number, buffer: Pointer, length: number, offset: number): number;
  eventfd(initial: number, flags: number): number;
  /** poll(2) on a thread of koffi; `done` gets the number of ready descriptors. */
  pollLater(
    descriptors: Pointer,
    count: number,
    milliseconds: number,
    done: (error: unknown, ready: number) => void,
  ): void;
  /** The mapping's address, or -1. */
  mmap(
    address: bigint | number,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): bigint | number;
  munmap(address: bigint, length: number): number;
  madvise(address: bigint, length: number, advice: number): number;
  sigmask(how: number, set: Pointer, old: Pointer): number;
  sigtimedwait(set: Pointer, info: Pointer, timeout: Pointer): number;
  /** A system call with only numbers as arguments. */
  syscall(number: number, a: number, b: number, c: number): number;
  timerCreate(number: number, clock: number, event: Pointer, id: Pointer): number;
  timerSet(number: number, id: number, flags: number, value: Pointer, old: Pointer): number;
  prctl(option: number, value: Pointer): number;
  /** The calling thread's errno; read it right after the call that failed. */
  errno(): number;
  addressOf(view: ArrayBufferView): bigint;
  /** The bytes at an address as a buffer. It must never outlive the mapping: a later read crashes the process. */
  view(address: bigint, length: number): ArrayBuffer;
}

let loaded: Libc | undefined;

/** @throws KvmUnavailableError where this is not Linux on x86-64, or koffi cannot be loaded. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

function load(): Libc {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new KvmUnavailableError(
      `KVM needs Linux on x86-64; this is ${process.platform} on ${process.arch}`,
      'run Terrarium on a Linux machine with an Intel or AMD processor',
    );
  }
  const koffi = loadKoffi();
  const lib = koffi.load('libc.so.6');
  const ioctl = ['int', 'uint32'];
  return {
    // Declared without varargs: on x86-64 the call is the same, and koffi's fixed calls are faster.
    ioctl: lib.func('ioctl', 'int', [...ioctl, 'uint64']),
    ioctlPointer: lib.func('ioctl', 'int', [...ioctl, 'void *']),
    open: lib.func('open', 'int', ['str', 'int', 'int']),
    close: lib.func('close', 'int', ['int']),
    read: lib.func('read', 'int64', ['int', 'void *', 'size_t']),
    write: lib.func('write', 'int64', ['int', 'void *', 'size_t']),
    pread: lib.func('pread', 'int64', ['int', 'void *', 'size_t', 'int64']),
    eventfd: lib.func('eventfd', 'int', ['uint32', 'int']),
    pollLater: lib.func('poll', 'int', ['void *', 'ulong', 'int']).async,
    mmap: lib.func('mmap', 'int64', ['uint64', 'size_t', 'int', 'int', 'int', 'int64']),
    munmap: lib.func('munmap', 'int', ['uint64', 'size_t']),
    madvise: lib.func('madvise', 'int', ['uint64', 'size_t', 'int']),
    sigmask: lib.func('pthread_sigmask', 'int', ['int', 'void *', 'void *']),
    sigtimedwait: lib.func('sigtimedwait', 'int', ['void *', 'void *', 'void *']),
    syscall: lib.func('syscall', 'long', ['long', 'long', 'long', 'long']),
    // Before 2.34, glibc has POSIX timers in librt; `syscall` is in libc everywhere.
    timerCreate: lib.func('syscall', 'long', ['long', 'long', 'void *', 'void *']),
    timerSet: lib.func('syscall', 'long', ['long', 'long', 'long', 'void *', 'void *']),
    prctl: lib.func('prctl', 'int', ['int', 'void *']),
    errno: () => koffi.errno(),
    addressOf: (view) => koffi.address(view),
    view: (address, length) => koffi.view(address, length),
  };
}

function loadKoffi(): typeof Koffi {
  try {
    return loadProgram() ?? (createRequire(import.meta.url)('koffi') as typeof Koffi);
  } catch (cause) {
    throw new KvmUnavailableError(
      `koffi, which calls the C library, could not be loaded: ${cause instanceof Error ? cause.message : cause}`,
      'install the package again (npm install) on this machine',
      cause,
    );
  }
}

/** koffi's native module for this system's C library, in the package from which koffi's own loader loads it. */
const PROGRAM = '@koromix/koffi-linux-x64/linux_x64/koffi.node';

/**
 * koffi without its loader, which takes ten times as long as its native module, and without Node's search for packages,
 * which reads and parses the package.json of each. Undefined where it is at another place or has another version, and
 * with another C library.
 */
function loadProgram(): typeof Koffi | undefined {
  try {
    const file = findProgram();
    if (file === undefined || !hasGlibc()) return undefined;
    const program = { exports: {} as typeof Koffi };
    process.dlopen(program, file);
    return program.exports.version.startsWith('3.') ? program.exports : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Searches where npm installs a package's dependencies: in its own node_modules, or in one that contains the package.
 */
function findProgram(): string | undefined {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'node_modules', PROGRAM);
    if (existsSync(file)) return file;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** glibc's dynamic linker, which the first page of Node's own program names (ELF, PT_INTERP). */
const GLIBC_LINKER = '/ld-linux-x86-64.so.2\0';

function hasGlibc(): boolean {
  const start = Buffer.alloc(4096);
  const file = openSync(process.execPath, 'r');
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  return start.includes(GLIBC_LINKER, 0, 'latin1');
}

// Values of the C library's headers for Linux on x86-64.
export const O_RDWR = 2;
export const O_CLOEXEC = 0o2000000;
export const O_NONBLOCK = 0o4000;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MADV_DONTNEED = 4;
export const MADV_MERGEABLE = 12;
export const EFD_CLOEXEC = O_CLOEXEC;
export const EFD_NONBLOCK = 0o4000;
export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SIGURG = 23;
export const SIGEV_THREAD_ID = 4;
export const CLOCK_MONOTONIC = 1;
export const PR_SET_NAME = 15;
export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const SYS_flock = 73;
export const SYS_gettid = 186;
export const SYS_timer_create = 222;
export const SYS_timer_settime = 223;
export const SYS_timer_delete = 226;
export const SYS_tgkill = 234;
export const SYS_pidfd_open = 434;
export const SYS_pidfd_getfd = 438;
