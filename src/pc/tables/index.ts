/**
 * What a firmware tells an operating system of a PC: ACPI's tables, the MultiProcessor tables, SMBIOS.
 *
 * @module
 */
import { acpiTables, type Placed } from './acpi.js';
import { mpTables } from './mp.js';
import { smbiosTables } from './smbios.js';

export { type AcpiOptions, acpiTables, type Placed } from './acpi.js';
export { mpTables } from './mp.js';
export { smbiosTables } from './smbios.js';

/** Where the tables go; `anchors`: 48 bytes by which SMBIOS and the MP tables are found, in F0000 to FFFFF. */
export interface TablePlaces {
  readonly acpi: number;
  readonly smbios: number;
  readonly mp: number;
  readonly anchors: number;
}

export const TABLES: TablePlaces = { acpi: 0xe_0000, smbios: 0xe_e000, mp: 0xe_f000, anchors: 0xf_0000 };

export interface TablesOptions {
  cpus: number;
  memory: number;
  pciHole: number;
}

/** Every table of a PC with its place. */
export function pcTables({ cpus, memory, pciHole }: TablesOptions, at: TablePlaces = TABLES): Placed[] {
  return [
    ...acpiTables(at.acpi, { cpus, pciHole }),
    ...smbiosTables(at.anchors, at.smbios, { cpus, memory }),
    ...mpTables(at.anchors + 32, at.mp, cpus),
  ];
}
