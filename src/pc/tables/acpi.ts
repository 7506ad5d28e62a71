/**
 * ACPI's tables of this PC (ACPI 6.4 chapter 5): RSDP, RSDT, XSDT, FADT, FACS, MADT, HPET, DSDT.
 *
 * @module
 */
import {
  ACPI_DISABLE,
  ACPI_ENABLE,
  GPE_BASE,
  GPE_SIZE,
  HPET_ADDRESS,
  HPET_ID,
  IO_APIC_ADDRESS,
  PM_BASE,
  SCI_IRQ,
  SMI_COMMAND,
} from '../../devices/index.js';
import { type DsdtOptions, dsdtCode, PCI_IRQS } from './dsdt.js';

const OEM = 'TERRA ';
const OEM_TABLE = 'TERRAPC ';
const HEADER = 36;
const LOCAL_APIC = 0xfee0_0000;

export type AcpiOptions = DsdtOptions;

/** A blob with its place, in guest physical memory. */
export interface Placed {
  readonly name: string;
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * All tables, one after the other from `at` on; the RSDP comes first, so `at` has to be where it is looked for (E0000 to FFFFF, by 16).
 */
export function acpiTables(at: number, options: AcpiOptions): Placed[] {
  let next = at + 64;
  const placed: Placed[] = [];
  const put = (name: string, bytes: Uint8Array, by = 16): number => {
    const address = Math.ceil(next / by) * by;
    next = address + bytes.length;
    placed.push({ name, address, bytes });
    return address;
  };
  const facs = put('FACS', facsTable(), 64);
  const dsdt = put('DSDT', table('DSDT', 2, dsdtCode(options)));
  const found = [put('FACP', fadt(facs, dsdt)), put('APIC', madt(options.cpus)), put('HPET', hpetTable())];
  const rsdt = put(
    'RSDT',
    table(
      'RSDT',
      1,
      found.flatMap((address) => little(address, 4)),
    ),
  );
  const xsdt = put(
    'XSDT',
    table(
      'XSDT',
      1,
      found.flatMap((address) => little(address, 8)),
    ),
  );
  return [{ name: 'RSDP', address: at, bytes: rsdp(rsdt, xsdt) }, ...placed];
}

export function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
}

export const characters = (text: string, length = text.length): number[] =>
  Array.from(text.padEnd(length), (one) => one.charCodeAt(0));

/** Makes the bytes from `from` on sum up to 0, by the byte at `at`. */
export function checksum(bytes: Uint8Array, at: number, from = 0, length = bytes.length - from): void {
  bytes[at] = 0;
  bytes[at] = -bytes.subarray(from, from + length).reduce((sum, byte) => sum + byte, 0) & 0xff;
}

function table(signature: string, revision: number, body: readonly number[]): Uint8Array {
  const bytes = Uint8Array.from([
    ...characters(signature),
    ...little(HEADER + body.length, 4),
    revision,
    0,
    ...characters(OEM),
    ...characters(OEM_TABLE),
    ...little(1, 4),
    ...characters('TERR'),
    ...little(1, 4),
    ...body,
  ]);
  checksum(bytes, 9);
  return bytes;
}

function rsdp(rsdt: number, xsdt: number): Uint8Array {
  const bytes = Uint8Array.from([
    ...characters('RSD PTR '),
    0,
    ...characters(OEM),
    2,
    ...little(rsdt, 4),
    ...little(36, 4),
    ...little(xsdt, 8),
    0,
    0,
    0,
    0,
  ]);
  checksum(bytes, 8, 0, 20);
  checksum(bytes, 32);
  return bytes;
}

function facsTable(): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([...characters('FACS'), 64]);
  bytes[32] = 1;
  return bytes;
}

/** A generic address (5.2.3.2): I/O ports. */
const ports = (address: number, bits: number): number[] => [
  1,
  bits,
  0,
  { 8: 1, 16: 2, 32: 3 }[bits] ?? 0,
  ...little(address, 8),
];

const Fadt = { wbinvd: 1, c1: 4, sleepButton: 0x20, resetRegister: 0x400 } as const;
/** IA-PC boot architecture: there are devices on ISA, and an 8042. */
const BOOT_ARCHITECTURE = 3;
/** The reset register and the value to write to it: system and reset. */
const RESET_PORT = 0xcf9;
const RESET_VALUE = 6;

/** Revision 3, 244 bytes. */
function fadt(facs: number, dsdt: number): Uint8Array {
  const [events, control, timer] = [PM_BASE, PM_BASE + 4, PM_BASE + 8];
  return table('FACP', 3, [
    ...little(facs, 4),
    ...little(dsdt, 4),
    ...[1, 0], // dual PIC, no preferred profile
    ...little(SCI_IRQ, 2),
    ...little(SMI_COMMAND, 4),
    ...[ACPI_ENABLE, ACPI_DISABLE, 0, 0],
    ...[events, 0, control, 0, 0, timer, GPE_BASE, 0].flatMap((port) => little(port, 4)),
    ...[4, 2, 0, 4, GPE_SIZE, 0, 0, 0],
    // C2 and C3 take too long to be there; no cache to be flushed by hand.
    ...[0xfff, 0xfff, 0, 0].flatMap((value) => little(value, 2)),
    ...[0, 0, 0, 0, 0x32], // duty cycle, day and month alarms, century
    ...little(BOOT_ARCHITECTURE, 2),
    0,
    ...little(Fadt.wbinvd | Fadt.c1 | Fadt.sleepButton | Fadt.resetRegister, 4),
    ...ports(RESET_PORT, 8),
    ...[RESET_VALUE, 0, 0, 0],
    ...little(facs, 8),
    ...little(dsdt, 8),
    ...ports(events, 32),
    ...nowhere,
    ...ports(control, 16),
    ...nowhere,
    ...nowhere,
    ...ports(timer, 32),
    ...[1, 8 * GPE_SIZE, 0, 1, ...little(GPE_BASE, 8)],
    ...nowhere,
  ]);
}

const nowhere = new Array<number>(12).fill(0);

/** Active high and level-triggered (5.2.12.5): PCI's interrupts and the SCI. */
const LEVEL = 0x0d;

function madt(cpus: number): Uint8Array {
  const processors = Array.from({ length: cpus }, (_, i) => [0, 8, i, i, ...little(1, 4)]).flat();
  const io = [1, 12, 0, 0, ...little(IO_APIC_ADDRESS, 4), ...little(0, 4)];
  const override = (irq: number, pin: number, flags: number) => [
    2,
    10,
    0,
    irq,
    ...little(pin, 4),
    ...little(flags, 2),
  ];
  const levels = [...new Set([SCI_IRQ, ...PCI_IRQS])]
    .sort((a, b) => a - b)
    .flatMap((irq) => override(irq, irq, LEVEL));
  const nmi = [4, 6, 0xff, 0, 0, 1];
  // There are 8259As as well.
  return table('APIC', 3, [
    ...little(LOCAL_APIC, 4),
    ...little(1, 4),
    ...processors,
    ...io,
    ...override(0, 2, 0),
    ...levels,
    ...nmi,
  ]);
}

function hpetTable(): Uint8Array {
  return table('HPET', 1, [
    ...little(HPET_ID, 4),
    ...[0, 64, 0, 0, ...little(HPET_ADDRESS, 8)],
    0,
    ...little(100, 2),
    0,
  ]);
}
