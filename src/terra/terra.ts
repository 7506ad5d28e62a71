/**
 * What a `.terra` file holds: a machine's description, its image, and its state; for a recording also what came in from outside
 * afterwards, and how the run ended.
 *
 * A file names nothing on the host: whoever opens it names the disks, devices, hypercalls and other files that the
 * machine needs.
 *
 * @module
 */
import type { Image } from '../boot/index.js';
import { type FieldName, type MachineSpec, readSpec } from '../config/index.js';
import { TerrariumError } from '../errors.js';
import type { InputRecord, MachineState } from '../machine/index.js';
import { Blobs, marked, unmarked } from './plain.js';
import { damaged, joined, readSections, SECTION, TerraError, writeSections } from './sections.js';

/** The version of the files that are written; all older ones are read. */
export const TERRA_VERSION = 1;

/** The end of a recorded run. */
export interface RecordedEnd {
  kind: string;
  reason: string;
  /** Instructions of the CPU since the machine was made. */
  instructions: number;
  /** Of registers and RAM: equal where the run was the same. */
  digest: string;
}

export interface Terra {
  spec: MachineSpec;
  image: Image;
  state: MachineState;
  record?: InputRecord;
  end?: RecordedEnd;
  /** Fields of the description that named something of the host. */
  named?: FieldName[];
  /** Of the disks and the firmware that it named. */
  fingerprints?: Fingerprint[];
}

/** A file of the host as it was. */
export interface Fingerprint {
  field: 'disks' | 'floppies' | 'cdroms' | 'firmware';
  /** Without its folder. */
  name: string;
  size: number;
  /** SHA-256 of it, or of samples of a large one. */
  digest: string;
}

/** The fields that name files and modules of the host: a file leaves them out. */
export const hostFields: readonly FieldName[] = [
  ...(['devices', 'hypercalls', 'disks', 'floppies', 'cdroms'] as const),
  ...(['firmware', 'initrds', 'modules'] as const),
];

/** The bytes of a file. */
export async function encodeTerra({ spec, ...rest }: Terra): Promise<Uint8Array> {
  const kept = Object.entries(spec).filter(([name]) => !hostFields.includes(name as FieldName));
  const named = hostFields.filter((name) => spec[name] !== undefined);
  const blobs = new Blobs();
  const content = marked({ ...rest, spec: Object.fromEntries(kept), named }, blobs);
  const lengths = blobs.list.map(({ length }) => length);
  const head = new TextEncoder().encode(JSON.stringify({ version: TERRA_VERSION, lengths, content }));
  const size = new Uint8Array(SIZE);
  new DataView(size.buffer).setUint32(0, head.length, true);
  const bytes = joined([size, head, ...blobs.list]);
  return writeSections(
    Array.from({ length: Math.ceil(bytes.length / SECTION) }, (_, i) =>
      bytes.subarray(i * SECTION, (i + 1) * SECTION),
    ),
  );
}

/**
 * What a file holds. Its state is checked when a machine takes it.
 * @throws TerraError for any other file, a damaged one, and one of a newer version
 */
export async function decodeTerra(file: Uint8Array): Promise<Terra> {
  const bytes = joined(await readSections(file));
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof TerrariumError) throw error;
    throw damaged(`its content cannot be read (${(error as Error).message})`);
  }
}

/** Bytes of the head's length, which comes first. */
const SIZE = 4;

function read(bytes: Uint8Array): Terra {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = SIZE + view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(SIZE, end)));
  if (!Number.isInteger(head?.version) || head.version < 1) throw damaged('it has no version');
  if (head.version > TERRA_VERSION)
    throw new TerraError(
      `the file has version ${head.version}, and this Terrarium reads versions up to ${TERRA_VERSION}`,
      'install a newer one: npm install terrarium-vm@latest',
    );
  const blobs: Uint8Array[] = [];
  let at = end;
  for (const length of head.lengths as unknown[]) {
    if (!Number.isInteger(length) || (length as number) < 0 || (length as number) > bytes.length - at)
      throw damaged('the lengths of its parts are wrong');
    // A copy: a reference to one page must not keep the whole file in memory.
    blobs.push(bytes.slice(at, at + (length as number)));
    at += length as number;
  }
  if (at !== bytes.length) throw damaged('the lengths of its parts are wrong');
  return checked(unmarked(head.content, blobs));
}

function isFingerprint({ field, name, size, digest }: Fingerprint): boolean {
  return (
    ['disks', 'floppies', 'cdroms', 'firmware'].includes(field) &&
    typeof name === 'string' &&
    Number.isSafeInteger(size) &&
    typeof digest === 'string'
  );
}

function areSums({ every, sums }: NonNullable<InputRecord['answers']>): boolean {
  return (
    Number.isSafeInteger(every) &&
    every > 0 &&
    Array.isArray(sums) &&
    sums.every((one) => Number.isSafeInteger(one?.at) && Number.isSafeInteger(one?.sum))
  );
}

/** Checks the fields that are needed before a machine is made; the rest is checked where it is used. */
function checked(content: unknown): Terra {
  const { spec, image, state, record, end, named = [], fingerprints = [] } = content as Terra;
  const { segments, name, format } = image;
  const placed = segments.every(
    ({ address, bytes, memorySize }) =>
      Number.isSafeInteger(address) && bytes instanceof Uint8Array && Number.isSafeInteger(memorySize),
  );
  if (!placed || typeof name !== 'string' || !['flat', 'elf32', 'elf64'].includes(format))
    throw damaged('its image is invalid');
  if (!(state?.memory?.pages instanceof Map) || !Array.isArray(state.cpus))
    throw damaged('it holds no state of a machine');
  if (record !== undefined && !(Array.isArray(record.events) && Number.isSafeInteger(record.until)))
    throw damaged('its recording is invalid');
  if (record?.answers !== undefined && !areSums(record.answers)) throw damaged('its recording is invalid');
  if (end !== undefined && !Number.isSafeInteger(end.instructions))
    throw damaged('the end of its recording is invalid');
  if (!Array.isArray(fingerprints) || !fingerprints.every(isFingerprint))
    throw damaged('its list of disks is invalid');
  const known = readSpec(spec, 'the file: ');
  if (hostFields.some((field) => known[field] !== undefined))
    throw damaged('it names files or modules of a host');
  return {
    spec: known,
    image,
    state,
    ...(record && { record }),
    ...(end && { end }),
    named: hostFields.filter((field) => named.includes(field)),
    ...(fingerprints.length > 0 && { fingerprints }),
  };
}
