/**
 * Reads a description from a program's object or a file. Unknown names and values of a wrong kind are refused, never ignored.
 *
 * @module
 */
import { ConfigError, type TerrariumError } from '../errors.js';
import { nearestNames } from '../nearest.js';
import { type FieldName, fieldNames, fieldOf, type MachineSpec, optionWord } from './fields.js';
import type { Kind } from './kinds.js';

/** Characters of a wrong value that an error shows. */
const SHOWN = 60;

/** The keys that an object may have in addition to a machine's fields: kinds by name. */
export type OtherKeys = Readonly<Record<string, Kind<unknown>>>;

export interface Reading {
  /** Before the name in an error: `createMachine: `, `guests/hello/guest.json: `. */
  place: string;
  /** The machine's fields that are allowed here. Default: all. */
  fields?: readonly FieldName[];
  others?: OtherKeys;
  /** Numbers may be texts as on the command line, `"64K"`: for files. Default false. */
  texts?: boolean;
  /** The class of errors. Default `ConfigError`. */
  error?: (message: string, hint?: string) => TerrariumError;
}

/** The result: the machine's fields, and the others. */
export interface ReadFields {
  spec: MachineSpec;
  others: Record<string, unknown>;
}

/**
 * Reads an object's fields; those that are `undefined` count as missing.
 * @throws the given error for a value that is not an object, an unknown name, or a value of a wrong kind
 */
export function readFields(said: unknown, reading: Reading): ReadFields {
  const { place, others = {}, fields = fieldNames } = reading;
  const error = reading.error ?? ((message, hint) => new ConfigError(message, hint));
  if (typeof said !== 'object' || said === null || Array.isArray(said))
    throw error(`${place}${show(said)} is not an object of fields`, 'write { "field": value, … }');
  const result: ReadFields = { spec: {}, others: {} };
  for (const [name, value] of Object.entries(said)) {
    if (value === undefined) continue;
    const own = Object.hasOwn(others, name);
    if (!own && !fields.includes(name as FieldName) && fieldNames.includes(name as FieldName))
      throw error(
        `${place}"${name}" can be set only by the user who runs the machine`,
        optionHint(name as FieldName),
      );
    if (!own && !(fields as readonly string[]).includes(name))
      throw error(`${place}there is no field "${name}"`, hintFor(name, [...Object.keys(others), ...fields]));
    const kind = own ? others[name]! : fieldOf(name as FieldName).kind;
    const into: Record<string, unknown> = own ? result.others : result.spec;
    into[name] = readValue(kind, value, `${place}"${name}"`, reading.texts === true, error);
  }
  return result;
}

/** The machine's fields of an object that has no other keys. */
export function readSpec(said: unknown, place = ''): MachineSpec {
  return readFields(said, { place }).spec;
}

function readValue(
  kind: Kind<unknown>,
  value: unknown,
  place: string,
  texts: boolean,
  error: NonNullable<Reading['error']>,
): unknown {
  if (kind.is(value)) return value;
  if (texts && typeof value === 'string' && kind.schema.type !== 'boolean') {
    try {
      return kind.parse(value);
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      throw error(`${place}: ${cause.message}`, cause.hint);
    }
  }
  throw error(`${place} is ${show(value)}, not ${kind.what}`);
}

function optionHint(name: FieldName): string {
  const word = optionWord(name);
  return word === undefined ? 'leave it out' : `give it to the command: --${word}`;
}

function hintFor(name: string, known: readonly string[]): string {
  const near = nearestNames(name.slice(0, SHOWN), known);
  return near.length > 0 ? `meant: ${near.join(', ')}?` : `fields are ${known.join(', ')}`;
}

/** A wrong value, short enough for an error. */
function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // circular
  }
  text ??= String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
