/**
 * The hypercalls' ABI: its layout and its numbers. Its manual is `docs/hypercalls.md`; `guests/include/hypercall.h` is
 * the header for guests, which a test compares with this file.
 *
 * @module
 */
import { TerrariumError } from '../../errors.js';
import type { GuestMemory } from '../../memory/index.js';
import type { DeviceInputs } from '../contract/index.js';

/** The port of the hypercalls: an unused one, as a course on KVM suggests it. */
export const HYPERCALL_PORT = 0xabba;
/** Increases with each change that a guest could notice. */
export const HYPERCALL_VERSION = 1;

/** Bytes in a request block, and its fields: `u32 number, i32 status, u64 result, u64 args[4]`. */
export const RequestBlock = { size: 48, number: 0, status: 4, result: 8, args: 16, argCount: 4 } as const;

/** The calls that come with Terrarium. Numbers below `FIRST_OWN_CALL` are kept for more of them. */
export const HypercallNumber = {
  version: 0,
  write: 1,
  readLine: 2,
  exit: 3,
  time: 4,
  random: 5,
  log: 6,
} as const;
export const FIRST_OWN_CALL = 64;

/** The clocks of the call `time`. */
export const HypercallClock = { unix: 0, monotonic: 1 } as const;

/** The `status` of a failed call: Linux's error numbers, negative, as its system calls return them. */
export const HypercallStatus = {
  ok: 0,
  /** No data yet: call again. */
  EAGAIN: -11,
  /** The block or a buffer is not completely in one region of RAM, or it would be written and is read-only. */
  EFAULT: -14,
  /** An invalid argument. */
  EINVAL: -22,
  /** No such call, or the host does not support it. */
  ENOSYS: -38,
} as const;
export type HypercallErrorName = Exclude<keyof typeof HypercallStatus, 'ok'>;

/**
 * The most bytes that one call moves; of a longer buffer only this much is used, and the result is the number of bytes.
 */
export const HypercallLimit = { write: 65536, readLine: 4096, random: 4096, log: 1024 } as const;

/** Thrown by a call's handler: the guest's call fails with this status, and the guest continues. */
export class HypercallError extends TerrariumError {
  readonly status: number;

  constructor(code: HypercallErrorName, message = `the hypercall failed with ${code}`) {
    super(code, message);
    this.status = HypercallStatus[code];
  }
}

/** A guest's request, read once: later writes of the guest do not change it. */
export interface HypercallRequest {
  /** Guest physical address of the request block. */
  readonly address: number;
  readonly number: number;
  /** Four arguments of 64 bits, unsigned. */
  readonly args: readonly [bigint, bigint, bigint, bigint];
}

/** A custom call. */
export interface Hypercall {
  readonly name: string;
  /**
   * Executes the call. The return value is the guest's result (no value: 0). A `HypercallError` gives the guest that
   * status, and an access outside guest memory gives it EFAULT; any other error is a mistake of the host and ends the
   * run. @param inputs the source of everything that does not follow from the request, so that a run can be repeated
   */
  handle(request: HypercallRequest, memory: GuestMemory, inputs: DeviceInputs): bigint | number | undefined;
}

/** Reads a request block; undefined where there is no RAM for all of it that could be written as well. */
export function readRequest(memory: GuestMemory, address: number): HypercallRequest | undefined {
  if (!isWritable(memory, address, RequestBlock.size)) return undefined;
  const at = address + RequestBlock.args;
  return {
    address,
    number: memory.read32(address + RequestBlock.number),
    args: [memory.read64(at), memory.read64(at + 8), memory.read64(at + 16), memory.read64(at + 24)],
  };
}

/** True if the guest itself could write all of these bytes. */
export function isWritable(memory: GuestMemory, address: number, length: number): boolean {
  return memory.find(address, length)?.readOnly === false;
}

/** A piece of guest memory that a call works on. */
export interface Span {
  readonly address: number;
  readonly length: number;
}

/**
 * The buffer that two arguments name, cut to `most` bytes. Both are 64 bits that the guest chose: a value that does not
 * fit a number cannot be an address of RAM.
 * @throws HypercallError EFAULT
 */
export function spanOf(memory: GuestMemory, address: bigint, length: bigint, most: number): Span {
  const bytes = length > BigInt(most) ? most : Number(length);
  const start = Number(address);
  if (address > BigInt(Number.MAX_SAFE_INTEGER) || !memory.contains(start, bytes)) {
    throw new HypercallError('EFAULT', `${bytes} bytes at 0x${address.toString(16)} are not guest memory`);
  }
  return { address: start, length: bytes };
}

/**
 * The same for a buffer that the call fills: the guest could write it, and it does not touch the request block, whose
 * answer would overwrite it.
 * @throws HypercallError EFAULT, EINVAL
 */
export function targetOf(
  memory: GuestMemory,
  request: HypercallRequest,
  most: number,
  [address, length]: readonly [bigint, bigint, ...bigint[]] = request.args,
): Span {
  const span = spanOf(memory, address, length, most);
  if (!isWritable(memory, span.address, span.length))
    throw new HypercallError('EFAULT', 'the buffer is read-only');
  const end = span.address + span.length;
  if (span.length > 0 && span.address < request.address + RequestBlock.size && request.address < end) {
    throw new HypercallError('EINVAL', 'the buffer overlaps the request block');
  }
  return span;
}
