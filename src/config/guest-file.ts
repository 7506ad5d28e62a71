/**
 * A guest folder's `guest.json`: the guest's image, and its machine.
 *
 * @module
 */
import { ImageError } from '../boot/index.js';
import { type FieldName, fieldNames, fieldOf, type MachineSpec } from './fields.js';
import { type Kind, listOf, name, whole } from './kinds.js';
import { type OtherKeys, readFields } from './read.js';

/** The content of a `guest.json`. */
export interface GuestFile {
  /** The image's file, relative to the folder. */
  image: string;
  /** The image's source, relative to the folder. */
  source?: string;
  /** Further sources that are compiled with the image, where it is a source, relative to the folder. */
  sources?: readonly string[];
  /** Further options for the compiler. */
  cflags?: string;
  /** When to end a guest that does not end, in milliseconds. */
  timeoutMs?: number;
  /** The guest's machine; the user who runs it may choose another. */
  spec: MachineSpec;
}

/** Any value; the code that uses it checks it. */
const anything: Kind<unknown> = {
  what: 'anything',
  is: (_): _ is unknown => true,
  parse: (text) => text,
  write: String,
  schema: {},
};

/** The keys other than the machine's fields. */
const keys: OtherKeys = {
  image: name,
  source: name,
  sources: listOf(name, 'a list of files'),
  cflags: name,
  timeoutMs: whole(1),
  /** The guest's name, and one line for the list of guests. */
  name,
  summary: name,
  /** The course's lesson to which the folder belongs. */
  lesson: whole(1),
  /** The features that the host needs, for the tests of the guests. */
  needs: listOf(name, 'a list of texts'),
  /** The guest's input and the expected end of its run, for the tests of the guests. */
  input: name,
  keys: name,
  expect: anything,
};

const guestFields: readonly FieldName[] = fieldNames.filter((one) => fieldOf(one).inGuestFile);

/**
 * Reads the text of a `guest.json`. Sizes and addresses may be numbers or texts as on the command line: `"0x7c00"`, `"64K"`.
 * @param file for errors
 * @throws ImageError that names the file, the key and what is wrong with it
 */
export function parseGuestFile(text: string, file: string): GuestFile {
  const error = (message: string, hint?: string) => new ImageError(message, hint);
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (cause) {
    throw error(`${file}: not JSON: ${(cause as Error).message}`);
  }
  const place = `${file}: `;
  const { spec, others } = readFields(said, { place, fields: guestFields, others: keys, texts: true, error });
  const { image, source, sources, cflags, timeoutMs } = others as Partial<GuestFile>;
  if (image === undefined || image === '')
    throw error(`${file}: "image" does not name a file`, 'write "image": "kernel.S"');
  return {
    image,
    ...(source !== undefined && { source }),
    ...(sources !== undefined && { sources }),
    ...(cflags !== undefined && { cflags }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    spec,
  };
}
