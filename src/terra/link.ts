/**
 * A project in a link: sources, machine, breakpoints and the moment, compressed in the part of an address after `#`, which no browser sends
 * to a server. A link may come from anyone, so every field is checked.
 *
 * @module
 */
import { deflateSync, Inflate } from 'fflate';
import { type MachineSpec, readSpec } from '../config/index.js';
import { hostFields } from './terra.js';

/** The version of links that are made; older ones are read. */
const VERSION = 1;
/** The most characters of a link, and of its unpacked content. */
const MOST_LINK = 1 << 20;
const MOST_CONTENT = 8 << 20;
const MOST_FILES = 64;
const MOST_BREAKPOINTS = 1000;
const MOST_INPUTS = 20_000;

/** A source. */
export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** An input from outside: a machine's `InputEvent`, whose kind is not checked yet. */
export interface RecordedInput {
  readonly at: number;
  readonly kind: string;
  readonly channel: string;
  readonly between: boolean;
  readonly value: unknown;
}

/** The content of a link. */
export interface Shared {
  readonly title: string;
  readonly files: readonly TextFile[];
  readonly spec: MachineSpec;
  readonly breakpoints: readonly number[];
  /** Instructions; undefined for a guest that has not run. */
  readonly moment?: number;
  readonly inputs: readonly RecordedInput[];
  /** The names of the tabs that are open. */
  readonly view: Readonly<Record<string, string>>;
}

/** Why a link cannot be opened. */
export class LinkError extends Error {}

/** The fragment of an address. @throws LinkError where it would be too long */
export function encodeLink(shared: Shared): string {
  const json = new TextEncoder().encode(JSON.stringify({ v: VERSION, ...shared }));
  const link = `k=${base64url(deflateSync(json, { level: 9 }))}`;
  if (link.length > MOST_LINK)
    throw new LinkError(`the link would have ${link.length} characters: save a file instead`);
  return link;
}

/** The content of a fragment; undefined for one that is not a link of the lab. @throws LinkError with a message for the user */
export function decodeLink(fragment: string): Shared | undefined {
  const text = fragment.replace(/^#/, '');
  if (!text.startsWith('k=')) return undefined;
  if (text.length > MOST_LINK) throw new LinkError('this link is too long: the lab did not make it');
  let content: unknown;
  try {
    content = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(inflate(fromBase64url(text.slice(2)))),
    );
  } catch (error) {
    if (error instanceof LinkError) throw error;
    throw new LinkError('this link is cut off or damaged: copy all of it, up to its last character');
  }
  return checked(content);
}

function checked(content: unknown): Shared {
  if (typeof content !== 'object' || content === null) throw wrong('it holds nothing');
  const {
    v,
    title,
    files,
    spec,
    breakpoints = [],
    moment,
    inputs = [],
    view = {},
  } = content as Record<string, unknown>;
  if (!Number.isInteger(v) || (v as number) < 1) throw wrong('it has no version');
  if ((v as number) > VERSION)
    throw new LinkError(
      `this link is of version ${v}, and this page reads versions up to ${VERSION}: open it in a newer one`,
    );
  if (!isText(title, 200)) throw wrong('its title is invalid');
  if (!Array.isArray(files) || files.length === 0 || files.length > MOST_FILES)
    throw wrong('it has no files, or too many');
  if (!files.every(isFile)) throw wrong('one of its files is invalid');
  if (!Array.isArray(breakpoints) || breakpoints.length > MOST_BREAKPOINTS || !breakpoints.every(isCount))
    throw wrong('its breakpoints are invalid');
  if (moment !== undefined && !isCount(moment)) throw wrong('its moment is invalid');
  if (!Array.isArray(inputs) || inputs.length > MOST_INPUTS || !inputs.every(isInput))
    throw wrong('its inputs are invalid');
  if (typeof view !== 'object' || view === null || !Object.values(view).every((one) => isText(one, 40)))
    throw wrong('its view is invalid');
  return {
    title,
    files: files.map(({ name, text }) => ({ name, text })),
    spec: specOf(spec),
    breakpoints,
    ...(moment !== undefined && { moment: moment as number }),
    inputs: inputs.map(({ at, kind, channel, between, value }) => ({ at, kind, channel, between, value })),
    view: view as Record<string, string>,
  };
}

/** The machine that a link describes. Fields that name files or modules are refused. */
function specOf(spec: unknown): MachineSpec {
  let read: MachineSpec;
  try {
    read = readSpec(spec as MachineSpec, 'the link: ');
  } catch (error) {
    throw new LinkError(`this link cannot be opened: ${(error as Error).message}`);
  }
  const named = hostFields.filter((field) => read[field] !== undefined);
  if (named.length > 0) throw wrong(`its machine has ${named.join(', ')}, which a link cannot bring`);
  return read;
}

const wrong = (what: string) => new LinkError(`this link cannot be opened: ${what}`);

const isText = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.length <= most;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isFile(value: unknown): value is TextFile {
  const { name, text } = (value ?? {}) as Partial<TextFile>;
  return isText(name, 100) && /^[\w][\w.+-]*$/.test(name) && isText(text, MOST_CONTENT);
}

function isInput(value: unknown): value is RecordedInput {
  const { at, kind, channel, between, value: taken } = (value ?? {}) as Partial<RecordedInput>;
  const plain = typeof taken === 'number' || isText(taken, 100) || isKey(taken);
  return isCount(at) && isText(kind, 20) && isText(channel, 100) && typeof between === 'boolean' && plain;
}

function isKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, down, ...rest } = value as { name?: unknown; down?: unknown };
  return isText(name, 40) && typeof down === 'boolean' && Object.keys(rest).length === 0;
}

/** Unpacks, and stops at the limit: a few bytes can hold gigabytes of zeros. */
function inflate(packed: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  const stream = new Inflate((part, final) => {
    length += part.length;
    if (length > MOST_CONTENT) throw new LinkError('this link holds too much: the lab did not make it');
    parts.push(part.slice());
    ended ||= final;
  });
  // In pieces, so that the limit is checked early.
  const PIECE = 1024;
  for (let at = 0; at < packed.length; at += PIECE)
    stream.push(packed.subarray(at, at + PIECE), at + PIECE >= packed.length);
  if (!ended) throw new RangeError('the end is missing');
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function base64url(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
    letter.charCodeAt(0),
  );
}
