/**
 * Which exits a trace shows: `port=0x3f8-0x3ff`, `kind=mmio device=vga`.
 *
 * @module
 */
import { ExitKind, exitKindNames, isAccess } from '../engine/contract/index.js';
import { TerrariumError } from '../errors.js';
import type { ExitLog } from './exit-log.js';

/** From the first to the last, both included. */
interface Range {
  first: bigint;
  last: bigint;
}

/** A filter as plain data, which can be sent to another thread. A missing field passes everything. */
export interface TraceFilter {
  kinds?: number[];
  /** An exit passes where one of its ports or addresses is named by one of these two. */
  ports?: Range[];
  addresses?: Range[];
  rips?: Range[];
  devices?: string[];
}

/** Says whether an exit is shown. `device` is its number, -1 for none. */
export type ExitTest = (
  kind: number,
  address: number,
  size: number,
  ripLow: number,
  ripHigh: number,
  device: number,
) => boolean;

const HINT =
  'filters are kind=io, port=0x60-0x64, address=0xa0000-0xbffff, rip=0x7c00-0x7dff and device=NAME; ' +
  'several values: kind=io,mmio; several filters: with a blank between them';

function refuse(problem: string, hint = HINT): never {
  throw new TerrariumError('EFILTER', problem, { hint });
}

/**
 * Reads filters as people type them. Values of one key are alternatives, as are ports and addresses together; all other
 * keys must hold at once. @throws TerrariumError EFILTER
 */
export function parseTraceFilter(texts: readonly string[]): TraceFilter {
  const filter: TraceFilter = {};
  for (const term of texts.flatMap((text) => text.split(/\s+/)).filter((text) => text !== '')) {
    const [, key = '', list = ''] = /^([a-z]+)=(.+)$/.exec(term) ?? [];
    const values = list.split(',');
    if (list === '' || values.includes('')) refuse(`'${term}' is no trace filter`);
    if (key === 'kind') filter.kinds = [...(filter.kinds ?? []), ...values.map(kindOf)];
    else if (key === 'port')
      filter.ports = [...(filter.ports ?? []), ...values.map((v) => rangeOf(v, 0xffffn))];
    else if (key === 'address')
      filter.addresses = [...(filter.addresses ?? []), ...values.map((v) => rangeOf(v))];
    else if (key === 'rip') filter.rips = [...(filter.rips ?? []), ...values.map((v) => rangeOf(v))];
    else if (key === 'device') filter.devices = [...(filter.devices ?? []), ...values];
    else refuse(`'${term}': an exit has no field '${key}'`);
  }
  checkPlaces(filter);
  return filter;
}

function kindOf(name: string): number {
  const kind = exitKindNames.indexOf(name);
  if (kind >= 0) return kind;
  const known = exitKindNames.filter((one) => one !== undefined).join(', ');
  return refuse(`'kind=${name}': no exit is of this kind`, `kinds are ${known}`);
}

function rangeOf(text: string, most = 0xffff_ffff_ffff_ffffn): Range {
  const [, from, to] = /^(0x[\da-f]+|\d+)(?:-(0x[\da-f]+|\d+))?$/i.exec(text) ?? [];
  if (from === undefined) refuse(`'${text}' is not a number or range`, 'write it as 0x3f8 or 0x3f8-0x3ff');
  const range = { first: BigInt(from), last: BigInt(to ?? from) };
  if (range.last < range.first) refuse(`the range '${text}' ends before it begins`);
  if (range.last > most) refuse(`'${text}' reaches past 0x${most.toString(16)}`);
  return range;
}

/** Only `io` exits have ports, and only `mmio` exits have addresses: with other kinds nothing could pass. */
function checkPlaces({ kinds, ports, addresses }: TraceFilter): void {
  if (kinds === undefined) return;
  const possible = (ports && kinds.includes(ExitKind.io)) || (addresses && kinds.includes(ExitKind.mmio));
  if ((ports || addresses) && !possible) {
    const asked = kinds.map((kind) => exitKindNames[kind]).join(', ');
    refuse(`no exit of kind ${asked} has ${ports ? 'a port' : 'an address'}: nothing would be shown`);
  }
}

/** @throws TerrariumError EFILTER for a device that the machine does not have */
export function exitTest(filter: TraceFilter, deviceNames: readonly string[]): ExitTest {
  const { kinds, ports, addresses, rips } = filter;
  const devices = filter.devices?.map((name) => {
    const number = deviceNames.indexOf(name);
    if (number >= 0 || name === 'nobody') return number;
    return refuse(
      `'device=${name}': this machine has no such device`,
      `its devices are ${deviceNames.join(', ')}; nobody means accesses that no device answers`,
    );
  });
  const portTest = ports && placeTest(ports);
  const addressTest = addresses && placeTest(addresses);
  const ripTest = rips && wordTest(rips);
  return (kind, address, size, ripLow, ripHigh, device) => {
    if (kinds !== undefined && !kinds.includes(kind)) return false;
    if (devices !== undefined) {
      if (!devices.includes(device)) return false;
      if (!isAccess(kind)) return false;
    }
    if (ripTest !== undefined && !ripTest(ripLow, ripHigh)) return false;
    if (portTest === undefined && addressTest === undefined) return true;
    if (kind === ExitKind.io) return portTest?.(address, size) ?? false;
    return kind === ExitKind.mmio && (addressTest?.(address, size) ?? false);
  };
}

/** Does an access touch one of the ranges? Guest physical addresses are below 2^53, so numbers suffice. */
function placeTest(ranges: readonly Range[]): (address: number, size: number) => boolean {
  const numbers = ranges.map(({ first, last }) => ({ first: Number(first), last: Number(last) }));
  return (address, size) =>
    numbers.some(({ first, last }) => address <= last && address + Math.max(size, 1) > first);
}

/** 64-bit numbers in halves, so that an exit allocates nothing. */
function wordTest(ranges: readonly Range[]): (low: number, high: number) => boolean {
  const halves = (value: bigint) => [Number(value & 0xffff_ffffn), Number(value >> 32n)] as const;
  const words = ranges.map(({ first, last }) => [halves(first), halves(last)] as const);
  return (low, high) =>
    words.some(
      ([[fromLow, fromHigh], [toLow, toHigh]]) =>
        (high > fromHigh || (high === fromHigh && low >= fromLow)) &&
        (high < toHigh || (high === toHigh && low <= toLow)),
    );
}

/** The test for an entry of the log. */
export function entryTest(test: ExitTest): (log: ExitLog, index: number) => boolean {
  return (log, index) => {
    const at = index & log.mask;
    return test(
      log.kinds[at]!,
      log.addresses[at]!,
      log.sizes[at]!,
      log.ripLow[at]!,
      log.ripHigh[at]!,
      log.devices[at]!,
    );
  };
}
