/**
 * The control protocol, version 1: the messages on a machine's socket. Each message is one line of JSON, no longer than
 * `MAX_LINE` bytes with its newline. `docs/manage.md` specifies it.
 *
 * Both sides are strict: an invalid message ends the connection.
 *
 * @module
 */
import type { OutcomeKind } from '../machine/index.js';

export const PROTOCOL_VERSION = 1;
/** The most bytes of a message, including its newline. */
export const MAX_LINE = 64 * 1024;
/** The most connections to a machine at the same time. */
export const MAX_CONNECTIONS = 32;
/** The most console bytes in a message: 43,692 characters as base64. */
export const MAX_CHUNK = 32 * 1024;

/** How a machine ended. */
export interface MachineEnd {
  /** `failed`: a device of it threw; `killed`: its process ended without a record. */
  readonly kind: OutcomeKind | 'failed' | 'killed';
  /** The guest's own exit code, where `kind` is `exited`. */
  readonly code?: number;
  readonly reason: string;
  readonly exits: number;
  readonly elapsedMs: number;
  /** The exit status of `terrarium run`. */
  readonly status: number;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
}

/** The status that a running machine reports. */
export interface MachineStatus {
  readonly name: string;
  readonly pid: number;
  readonly image: string;
  readonly engine: string;
  readonly state: 'running' | 'ended';
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The number of exits, as of a few milliseconds ago. */
  readonly exits: number;
  /** The number of coalesced writes, which had no exit of their own. */
  readonly coalesced: number;
  /** How many bytes the guest has printed. */
  readonly printed: number;
  /** How many connections are attached to its console. */
  readonly attached: number;
}

export type Request =
  | { readonly id: number; readonly do: 'status' }
  | { readonly id: number; readonly do: 'stop' }
  /** Writes the machine's state to a file, by its absolute path; the guest goes on. */
  | { readonly id: number; readonly do: 'snapshot'; readonly file: string }
  /** Presses the power button. */
  | { readonly id: number; readonly do: 'power' }
  /** Attaches to the console: sends its last `replay` bytes (default 0), then new output. */
  | { readonly id: number; readonly do: 'attach'; readonly replay: number }
  | { readonly id: number; readonly do: 'detach' }
  /** Types on the serial port; answered when the guest's port has taken all of it. */
  | { readonly id: number; readonly do: 'input'; readonly data: Buffer };

export interface ProtocolError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export type Message =
  /** The first message of a connection. */
  | { readonly terrarium: number; readonly name: string; readonly pid: number }
  | { readonly id: number; readonly ok: unknown }
  | { readonly id: number; readonly error: ProtocolError }
  | { readonly event: 'console'; readonly data: string }
  /** This connection was too slow and lost that many bytes of the console. */
  | { readonly event: 'lost'; readonly bytes: number }
  /** The guest has ended and all its output was sent: the last message. */
  | { readonly event: 'end'; readonly end: MachineEnd }
  /** The connection is refused or cut off, for that reason. */
  | { readonly event: 'bye'; readonly error: ProtocolError };

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Parses a request; a ProtocolError with the id to answer; undefined for a line that is not a request. */
export function parseRequest(
  line: string,
): { request: Request } | { id: number; error: ProtocolError } | undefined {
  const said = parseJson(line);
  if (!isObject(said) || !isCount(said.id) || typeof said.do !== 'string') return undefined;
  const { id, do: what } = said;
  switch (what) {
    case 'status':
    case 'stop':
    case 'power':
    case 'detach':
      return { request: { id, do: what } };
    case 'snapshot': {
      const { file } = said;
      if (typeof file !== 'string' || !file.startsWith('/') || file.includes('\0'))
        return wrong(id, 'snapshot: "file" is not the absolute path of a file');
      return { request: { id, do: what, file } };
    }
    case 'attach': {
      const { replay = 0 } = said;
      if (!isCount(replay)) return wrong(id, `attach: "replay" is not a number of bytes`);
      return { request: { id, do: what, replay } };
    }
    case 'input': {
      const data = parseBase64(said.data);
      if (data === undefined) return wrong(id, `input: "data" is not base64 of at most ${MAX_CHUNK} bytes`);
      return { request: { id, do: what, data } };
    }
    default:
      return {
        id,
        error: {
          code: 'EUNKNOWN',
          message: `there is no request '${what.slice(0, 40)}'`,
          hint: 'requests are status, stop, power, snapshot, attach, detach and input',
        },
      };
  }
}

function wrong(id: number, message: string): { id: number; error: ProtocolError } {
  return { id, error: { code: 'EREQUEST', message } };
}

/** Parses a message; undefined for a line that is not one. */
export function parseMessage(line: string): Message | undefined {
  const said = parseJson(line);
  if (!isObject(said)) return undefined;
  const { id, event } = said;
  let good = false;
  if (event === 'console') good = parseBase64(said.data) !== undefined;
  else if (event === 'lost') good = isCount(said.bytes);
  else if (event === 'end') good = isEnd(said.end);
  else if (event === 'bye') good = isError(said.error);
  else if (isCount(id)) good = said.error === undefined ? 'ok' in said : isError(said.error);
  else good = isCount(said.terrarium) && typeof said.name === 'string' && isCount(said.pid);
  return good ? (said as unknown as Message) : undefined;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function parseBase64(data: unknown): Buffer | undefined {
  if (typeof data !== 'string' || data.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(data))
    return undefined;
  const bytes = Buffer.from(data, 'base64');
  return bytes.length <= MAX_CHUNK ? bytes : undefined;
}

function isError(said: unknown): said is ProtocolError {
  if (!isObject(said)) return false;
  const { code, message, hint } = said;
  return (
    typeof code === 'string' &&
    typeof message === 'string' &&
    (hint === undefined || typeof hint === 'string')
  );
}

export function isEnd(said: unknown): said is MachineEnd {
  if (!isObject(said)) return false;
  const { kind, code, reason, exits, elapsedMs, status, endedAt } = said;
  return (
    typeof kind === 'string' &&
    typeof reason === 'string' &&
    (code === undefined || isCount(code)) &&
    isCount(exits) &&
    isCount(status) &&
    Number.isFinite(elapsedMs) &&
    Number.isFinite(endedAt)
  );
}

export function isStatus(said: unknown): said is MachineStatus {
  if (!isObject(said)) return false;
  const { name, pid, image, engine, state, startedAt, exits, coalesced, printed, attached } = said;
  return (
    [name, image, engine].every((value) => typeof value === 'string') &&
    (state === 'running' || state === 'ended') &&
    [pid, exits, coalesced, printed, attached].every(isCount) &&
    Number.isFinite(startedAt)
  );
}
