import { ConfigError } from '../../errors.js';
import { type GuestMemory, GuestMemoryError } from '../../memory/index.js';
import type {
  Access,
  AccessSize,
  AccessWords,
  ByteSink,
  ByteSource,
  Device,
  DeviceHost,
  InputStream,
  PortRange,
} from '../contract/index.js';
import { bytesField, DeviceStateError, stateFields } from '../state.js';
import { words } from '../words.js';
import {
  FIRST_OWN_CALL,
  HYPERCALL_PORT,
  HYPERCALL_VERSION,
  type Hypercall,
  HypercallClock,
  HypercallError,
  HypercallLimit,
  HypercallNumber,
  type HypercallRequest,
  HypercallStatus,
  RequestBlock,
  readRequest,
  spanOf,
  targetOf,
} from './abi.js';

/** Two custom clocks. */
export interface HypercallClocks {
  /** Nanoseconds since 1970-01-01 00:00 UTC. */
  unix(): bigint;
  /** Nanoseconds since a fixed moment, never decreasing. */
  monotonic(): bigint;
}

export interface HypercallOptions {
  /** Where `write` goes: the console. */
  output?: ByteSink;
  /** The input of `readLine`. It is the same input as the serial port's: a guest uses one of the two. */
  input?: ByteSource;
  /** Where `log` goes: one text a call, with control characters made visible. */
  log?: (text: string) => void;
  /** The answer to `time`; default: the machine's own time. */
  clock?: HypercallClocks;
  /** Fills the bytes with random ones; default: the machine's random numbers. */
  random?: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Calls of your own, by number from 64 (`FIRST_OWN_CALL`). */
  calls?: Readonly<Record<number, Hypercall>>;
}

/** The state that `save` returns. */
export interface HypercallState {
  /** The status of the last call. */
  status: number;
  /** The start of a line whose end has not arrived yet. */
  line: number[];
}

/** One object for all calls: a guest polls, and making an error with its stack would take most of the time. */
const nothingYet = new HypercallError('EAGAIN');
const NEWLINE = 0x0a;
const statuses: readonly number[] = Object.values(HypercallStatus);
const statusWords = words('status of the last call', (value) => {
  const [name = ''] = Object.entries(HypercallStatus).find(([, status]) => status === (value | 0)) ?? [];
  return name;
});
/** Without the call's name: the guest may have changed the block when the words are read. */
const callWords = words('request block');

/**
 * Hypercalls: a guest writes the physical address of a request block to port 0xABBA, with one 32-bit OUT, and finds the
 * answer in the block after the OUT. The block's layout and each call's meaning: `docs/hypercalls.md`.
 *
 * A read of the port returns the status of the last call, 0 before the first, also where the block was not in RAM. An
 * empty port would read as -1, which is no status.
 */
export class Hypercalls implements Device {
  readonly name = 'hypercalls';
  readonly ports: readonly PortRange[] = [{ first: HYPERCALL_PORT, count: 1, width: 4 }];
  readonly #options: HypercallOptions;
  readonly #calls: ReadonlyMap<number, Hypercall>;
  /** The available calls 0 to 31, one bit each. */
  readonly #features: number;
  readonly #decoder = new TextDecoder();
  #host: DeviceHost | undefined;
  #input: InputStream<number> | undefined;
  #status: number = HypercallStatus.ok;
  #line: number[] = [];

  constructor(options: HypercallOptions = {}) {
    this.#options = options;
    const own = Object.entries(options.calls ?? {}).map(([key, call]) => [Number(key), call] as const);
    for (const [number, call] of own) {
      if (Number.isInteger(number) && number >= FIRST_OWN_CALL && number <= 0xffff_ffff) continue;
      throw new ConfigError(
        `the hypercall '${call.name}' has the number ${number}`,
        `numbers of custom calls are ${FIRST_OWN_CALL} to 0xffffffff`,
      );
    }
    const standard = this.#standardCalls();
    this.#calls = new Map([...standard, ...own]);
    this.#features = standard.reduce((bits, [number]) => bits | (1 << number), 0);
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    // A guest that waits for a line polls.
    this.#input = host.inputs.stream('lines', this.#options.input, () => {});
  }

  readPort(_port: number, size: AccessSize): number {
    return size === 4 ? this.#status >>> 0 : (this.#status & (2 ** (8 * size) - 1)) >>> 0;
  }

  /** Only a write of all 32 bits is a call. */
  writePort(_port: number, size: AccessSize, value: number): void {
    if (this.#host === undefined || size !== 4) return;
    this.#status = this.#call(this.#host, value);
  }

  describeAccess({ write }: Access): AccessWords {
    return write ? callWords : statusWords;
  }

  #call({ memory, inputs }: DeviceHost, address: number): number {
    const request = readRequest(memory, address);
    if (request === undefined) return HypercallStatus.EFAULT;
    let status: number = HypercallStatus.ok;
    let result = 0n;
    try {
      const call = this.#calls.get(request.number);
      if (call === undefined) status = HypercallStatus.ENOSYS;
      else result = BigInt(call.handle(request, memory, inputs) ?? 0);
    } catch (error) {
      if (error instanceof HypercallError) status = error.status;
      else if (error instanceof GuestMemoryError) status = HypercallStatus.EFAULT;
      else throw error;
    }
    memory.write64(address + RequestBlock.result, BigInt.asUintN(64, result));
    memory.write32(address + RequestBlock.status, status);
    return status;
  }

  /** The calls that this device supports with its options. */
  #standardCalls(): (readonly [number, Hypercall])[] {
    const { output, input, log, clock, random } = this.#options;
    const calls: (readonly [number, Hypercall])[] = [];
    const add = (name: keyof typeof HypercallNumber, handle: Hypercall['handle']) => {
      calls.push([HypercallNumber[name], { name, handle }]);
    };
    add('version', () => (BigInt(this.#features >>> 0) << 32n) | BigInt(HYPERCALL_VERSION));
    if (output) add('write', (request, memory) => write(request, memory, output));
    if (input) add('readLine', (request, memory) => this.#readLine(request, memory));
    add('exit', ({ args }) => {
      this.#host?.exit(Number(args[0] & 0xffn));
      return 0;
    });
    add('time', (request, _, inputs) => {
      if (clock === undefined) return time(request, { unix: inputs.unix, monotonic: this.#monotonic });
      return inputs.ask('time', () => time(request, clock));
    });
    add('random', (request, memory, inputs) => {
      const { address, length } = targetOf(memory, request, HypercallLimit.random);
      const bytes = new Uint8Array(length);
      if (random === undefined) inputs.random(bytes);
      else {
        const filled = () => {
          random(bytes);
          return bytes;
        };
        bytes.set(inputs.ask('random', filled));
      }
      memory.writeBytes(address, bytes);
      return length;
    });
    if (log) {
      add('log', ({ args }, memory) => {
        const { address, length } = spanOf(memory, args[0], args[1], HypercallLimit.log);
        log(visible(this.#decoder.decode(memory.readBytes(address, length))));
        return length;
      });
    }
    return calls;
  }

  /** A line with its newline, or as much of one as the buffer holds. Never waits: without a line it is EAGAIN. */
  #readLine(request: HypercallRequest, memory: GuestMemory): number {
    const { address, length } = targetOf(memory, request, HypercallLimit.readLine);
    if (length === 0) throw new HypercallError('EINVAL', 'the buffer for a line has no bytes');
    const line = this.#line;
    let newline = line.indexOf(NEWLINE);
    while (newline < 0 && line.length < length) {
      const byte = this.#input?.read();
      if (byte === undefined) throw nothingYet;
      if (byte === NEWLINE) newline = line.length;
      line.push(byte & 0xff);
    }
    const taken = Math.min(length, newline < 0 ? line.length : newline + 1);
    memory.writeBytes(address, Uint8Array.from(line.splice(0, taken)));
    return taken;
  }

  readonly #monotonic = (): bigint => BigInt(this.#host?.clock.now() ?? 0);

  save(): HypercallState {
    return { status: this.#status, line: [...this.#line] };
  }

  load(state: unknown): void {
    const fields = stateFields<HypercallState>(this.name, state, { status: 0, line: [] });
    const line = bytesField(this.name, 'line', fields.line, HypercallLimit.readLine);
    if (!statuses.includes(fields.status as number)) {
      throw new DeviceStateError(this.name, `'status' is ${String(fields.status)}, not a status of a call`);
    }
    this.#status = fields.status as number;
    this.#line = line;
  }
}

function write({ args }: HypercallRequest, memory: GuestMemory, output: ByteSink): number {
  const { address, length } = spanOf(memory, args[0], args[1], HypercallLimit.write);
  if (length > 0) output(memory.readBytes(address, length));
  return length;
}

function time({ args }: HypercallRequest, clock: HypercallClocks): bigint {
  if (args[0] === BigInt(HypercallClock.unix)) return clock.unix();
  if (args[0] === BigInt(HypercallClock.monotonic)) return clock.monotonic();
  throw new HypercallError('EINVAL', `there is no clock ${args[0]}`);
}

/** A guest must not control the terminal of the log's reader: control characters become text, `\x1b`. */
function visible(text: string): string {
  return text.trimEnd().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!;
    if (code === NEWLINE) return '\\n';
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
