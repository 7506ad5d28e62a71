/**
 * The guests for tests: the teaching guests in `guests/` with their expectations, and the sources in this folder, whose
 * behaviour is unsuitable for teaching.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { MachineSpec } from '../../src/config/index.js';
import { type KeySource, type Notification, strokesOf } from '../../src/devices/index.js';
import type { GuestMemory, RegionConfig } from '../../src/memory/index.js';
import { type Compiled, compileSource, type SourceMode } from '../../src/runtime/images/toolchain.js';

/** The package's root. */
export const root = fileURLToPath(new URL('.', import.meta.resolve('#package')));

/** The values of `needs`: features that KVM lacks on hosts without VMX and SVM, where it emulates. */
export const knownNeeds: readonly string[] = ['32-bit-paging', 'protected-interrupts', 'task-switch'];

/** A guest's `guest.json`, and its folder. `guests/README.md` explains the fields. */
export interface GuestFile {
  folder: string;
  name: string;
  image: string;
  source: string;
  mode: SourceMode;
  load?: number;
  memory: number;
  regions?: readonly RegionConfig[];
  simvirtio?: Notification;
  timeoutMs?: number;
  irqchip?: 'none' | 'user' | 'kernel';
  machine?: 'bare' | 'pc';
  vga?: boolean;
  virtio?: NonNullable<MachineSpec['virtio']>;
  cpus?: number;
  smpSeed?: number;
  input?: string;
  keys?: string;
  /** The features that a KVM without VMX and SVM lacks, and the software CPU provides: texts for readers. */
  needs?: readonly string[];
  summary: string;
  expect: {
    outcome: string;
    console: string;
    registers?: Record<string, number>;
    memory?: Record<string, number>;
    ports?: Record<string, number[]>;
    exits?: number;
  };
}

/** All teaching guests, by name. */
export function readGuests(): GuestFile[] {
  const guests = path.join(root, 'guests');
  return readdirSync(guests)
    .map((name) => path.join(guests, name))
    .filter((folder) => existsSync(path.join(folder, 'guest.json')))
    .map((folder) => {
      const said = JSON.parse(readFileSync(path.join(folder, 'guest.json'), 'utf8')) as Omit<
        GuestFile,
        'folder'
      >;
      return { folder, ...said };
    });
}

/** The committed image. */
export function readGuestImage(guest: GuestFile): Uint8Array {
  return readFileSync(path.join(guest.folder, guest.image));
}

/** The image from this machine's compiler. */
export function rebuildGuest({ folder, source, mode, load }: GuestFile): Compiled {
  return compileSource(path.join(folder, source), { mode, ...(load !== undefined && { load }), strip: true });
}

/** A keyboard on which a text is typed. */
export function typist(text: string): KeySource {
  const strokes = [...strokesOf(text)];
  return {
    get available() {
      return strokes.length > 0;
    },
    read: () => strokes.shift(),
  };
}

/** The results of a guest's run, for `unmetExpectations`. */
export interface Observed {
  /** `Outcome.kind`. */
  outcome: string;
  console: string;
  registers: Readonly<Record<string, bigint>>;
  memory: GuestMemory;
  /** Exits and coalesced writes together. */
  exits: number;
  /** Bytes written to each port that was watched, by the port as `guest.json` writes it. */
  ports?: Record<string, number[]>;
}

/** The expectations of `guest.json` that a run did not meet: one line each, empty if all are met. */
export function unmetExpectations({ expect }: GuestFile, seen: Observed): string[] {
  const unmet: string[] = [];
  const compare = (what: string, found: unknown, wanted: unknown) => {
    if (!isDeepStrictEqual(found, wanted))
      unmet.push(`${what}: expected ${inspect(wanted)}, found ${inspect(found)}`);
  };
  compare('outcome', seen.outcome, expect.outcome);
  compare('console', seen.console, expect.console);
  if (expect.exits !== undefined) compare('exits', seen.exits, expect.exits);
  for (const [name, value] of Object.entries(expect.registers ?? {})) {
    compare(name, seen.registers[name], BigInt(value));
  }
  for (const [place, value] of Object.entries(expect.memory ?? {})) {
    compare(place, readPlace(seen.memory, place), BigInt(value));
  }
  for (const [port, bytes] of Object.entries(seen.ports === undefined ? {} : (expect.ports ?? {}))) {
    compare(`port ${port}`, seen.ports?.[port], bytes);
  }
  return unmet;
}

/** Reads a place as `--expect` names it: `mem64[0x400]`. */
function readPlace(memory: GuestMemory, place: string): bigint {
  const [, bits, address] = /^mem(8|16|32|64)\[(\w+)\]$/.exec(place) ?? [];
  if (address === undefined) throw new Error(`${place} is no place in memory`);
  const bytes = memory.readBytes(Number(address), Number(bits) / 8);
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Builds `test/guests/<name>.S`. */
export function compileTestGuest(name: string, mode: SourceMode = 'auto'): Uint8Array {
  return compileSource(path.join(root, 'test/guests', `${name}.S`), { mode, strip: true }).bytes;
}

/** Why sources cannot be compiled here, or false: for `test(name, { skip: noCompiler }, …)`. */
export const noCompiler: string | false =
  spawnSync('gcc', ['--version']).status === 0 && spawnSync('ld', ['--version']).status === 0
    ? false
    : 'NO COMPILER: install gcc and binutils to run this test';
