/**
 * The editor's memory and disassembly views.
 *
 * @module
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Debugger } from '../../debug/index.js';
import { DebugError } from '../../debug/index.js';
import type { SourceMap } from './sources.js';
import { addressOf, hex, numberOf } from './values.js';

/** The most bytes and instructions that one request may read. */
const LARGEST_READ = 1024 * 1024;
const PIECE = 65536;
const MAX_INSTRUCTIONS = 2000;
/** The top of the address space, beyond which no read goes. */
const END = 1n << 64n;

/** The mapped bytes from the address on; the others are reported as unreadable. */
export async function readMemory(
  debug: Debugger,
  { memoryReference, offset, count }: DebugProtocol.ReadMemoryArguments,
): Promise<DebugProtocol.ReadMemoryResponse['body']> {
  const start = shifted(memoryReference, offset);
  const wanted = numberOf(count, 0, 0, LARGEST_READ);
  const parts: Uint8Array[] = [];
  let got = 0;
  while (got < wanted) {
    const size = Math.min(PIECE, wanted - got);
    const part = await debug.target
      .read(BigInt.asUintN(64, start + BigInt(got)), size)
      .catch(() => undefined);
    if (part === undefined) break;
    parts.push(part);
    got += part.length;
    if (part.length < size) break;
  }
  return {
    address: hex(start),
    data: Buffer.concat(parts).toString('base64'),
    ...(got < wanted && { unreadableBytes: wanted - got }),
  };
}

/** Writes all bytes; with `allowPartial`, as many as are mapped. */
export async function writeMemory(
  debug: Debugger,
  { memoryReference, offset, data, allowPartial }: DebugProtocol.WriteMemoryArguments,
): Promise<{ bytesWritten: number }> {
  const start = shifted(memoryReference, offset);
  const bytes = Buffer.from(String(data), 'base64');
  if (bytes.length > LARGEST_READ)
    throw new DebugError(`${bytes.length} bytes are too many to write at once`);
  const there = allowPartial ? await mappedBytes(debug, start, bytes.length) : bytes.length;
  for (let at = 0; at < there; at += PIECE)
    await debug.target.write(
      start + BigInt(at),
      new Uint8Array(bytes.subarray(at, Math.min(at + PIECE, there))),
    );
  debug.changed();
  return { bytesWritten: there };
}

async function mappedBytes(debug: Debugger, start: bigint, length: number): Promise<number> {
  const { data } = (await readMemory(debug, { memoryReference: hex(start), count: length }))!;
  return Buffer.from(data ?? '', 'base64').length;
}

/**
 * Exactly as many instructions as were requested, from `instructionOffset` on: those that cannot be read are marked invalid.
 */
export async function disassemble(
  debug: Debugger,
  sources: SourceMap,
  args: DebugProtocol.DisassembleArguments,
): Promise<{ instructions: DebugProtocol.DisassembledInstruction[] }> {
  const start = shifted(args.memoryReference, args.offset);
  const count = numberOf(args.instructionCount, 0, 0, MAX_INSTRUCTIONS);
  const first = numberOf(args.instructionOffset, 0, -MAX_INSTRUCTIONS, MAX_INSTRUCTIONS);
  const before = Math.max(0, -first);
  const lines = await debug.disassemble(start, { before, after: Math.max(0, first + count - 1) });
  const behind = lines.findIndex(({ address }) => address >= start);
  const origin = behind < 0 ? lines.length : behind;
  const lowest = lines[0]?.address ?? start;
  const last = lines.at(-1);
  const end = last === undefined ? start : last.address + BigInt(Math.max(1, last.bytes.length));
  const instructions = Array.from({ length: count }, (_, i): DebugProtocol.DisassembledInstruction => {
    const at = origin + first + i;
    const line = lines[at];
    if (line === undefined) {
      const address = at < 0 ? lowest + BigInt(at) : end + BigInt(at - lines.length);
      const shown = address < 0n ? 0n : address >= END ? END - 1n : address;
      return { address: hex(shown), instruction: '??', presentationHint: 'invalid' };
    }
    const location = line.source && sources.sourceOf(line.source.file);
    return {
      address: hex(line.address),
      instruction: line.text,
      instructionBytes: Buffer.from(line.bytes)
        .toString('hex')
        .replace(/..(?=.)/g, '$& '),
      ...(line.label !== undefined && { symbol: line.label }),
      ...(location && line.source && { location, line: line.source.line }),
    };
  });
  return { instructions };
}

function shifted(reference: unknown, offset: unknown): bigint {
  const by = numberOf(offset, 0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return BigInt.asUintN(64, addressOf(reference) + BigInt(by));
}
