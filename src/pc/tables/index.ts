/**
 * A firmware's description of a PC for an operating system: ACPI's tables, the MultiProcessor tables, SMBIOS.
 *
 * @module
 */
import type { GuestMemory } from '../../memory/index.js';
import { type AcpiOptions, acpiTables, type Placed } from './acpi.js';
import { mpTables } from './mp.js';
import { smbiosTables } from './smbios.js';

export { type AcpiOptions, acpiTables, type Placed } from './acpi.js';
export { mpTables } from './mp.js';
export { smbiosTables } from './smbios.js';

/**
 * Where the tables go. `smbiosEntry` has to be in F0000 to FFFFF; `mpPointer` may be at the end of the extended BIOS data area's first KiB as
 * well, where no ROM is in the way.
 */
export interface TablePlaces {
  readonly acpi: number;
  readonly smbios: number;
  readonly mp: number;
  readonly smbiosEntry: number;
  readonly mpPointer: number;
}

export const TABLES: TablePlaces = {
  acpi: 0xe_0000,
  smbios: 0xe_e000,
  mp: 0xe_f000,
  smbiosEntry: 0xf_0000,
  mpPointer: 0x9_fff0,
};

export interface TablesOptions extends AcpiOptions {
  memory: number;
}

/** Every table of a PC with its place. */
export function pcTables({ memory, ...acpi }: TablesOptions, at: TablePlaces = TABLES): Placed[] {
  return [
    ...acpiTables(at.acpi, acpi),
    ...smbiosTables(at.smbiosEntry, at.smbios, { cpus: acpi.cpus, memory }),
    ...mpTables(at.mpPointer, at.mp, acpi.cpus),
  ];
}

/** Writes the tables into a guest's memory, those for which there is RAM that nothing else is in. */
export function placeTables(memory: GuestMemory, options: TablesOptions, at?: TablePlaces): void {
  for (const { address, bytes } of pcTables(options, at)) {
    const free =
      memory.contains(address, bytes.length) &&
      memory.peek(address, bytes.length).every((byte) => byte === 0);
    if (free) memory.writeBytes(address, bytes);
  }
}
