/**
 * The MultiProcessor tables (MultiProcessor Specification 1.4): for kernels with support for APICs but not for ACPI.
 *
 * @module
 */
import { IO_APIC_ADDRESS, SCI_IRQ } from '../../devices/index.js';
import { characters, checksum, little, type Placed } from './acpi.js';
import { PCI_IRQS } from './dsdt.js';

const PCI_BUS = 0;
const ISA_BUS = 1;
const LOCAL_APIC = 0xfee0_0000;
/** Active high, level. */
const LEVEL = 0x0d;
/** Interrupt types: INT, NMI, ExtINT. */
const Type = { int: 0, nmi: 1, extInt: 3 } as const;

/** The pointer at `at`, a multiple of 16, and the configuration table at `address`. */
export function mpTables(at: number, address: number, cpus: number): Placed[] {
  const table = configuration(cpus);
  const pointer = Uint8Array.from([...characters('_MP_'), ...little(address, 4), 1, 4, 0, 0, 0, 0, 0, 0]);
  checksum(pointer, 10);
  return [
    { name: '_MP_', address: at, bytes: pointer },
    { name: 'PCMP', address, bytes: table },
  ];
}

function configuration(cpus: number): Uint8Array {
  const entries: number[][] = [];
  // The signature and features are those of CPUID on an early processor; kernels use CPUID.
  for (let i = 0; i < cpus; i++)
    entries.push([0, i, 0x14, i === 0 ? 3 : 1, ...little(0x600, 4), ...little(0x201, 4), ...little(0, 8)]);
  entries.push([1, PCI_BUS, ...characters('PCI', 6)], [1, ISA_BUS, ...characters('ISA', 6)]);
  const ioApic = 0;
  entries.push([2, ioApic, 0x11, 1, ...little(IO_APIC_ADDRESS, 4)]);
  const route = (type: number, flags: number, bus: number, source: number, pin: number) =>
    entries.push([3, type, ...little(flags, 2), bus, source, ioApic, pin]);
  const level = new Set<number>([SCI_IRQ, ...PCI_IRQS]);
  for (let irq = 0; irq < 16; irq++)
    if (irq !== 2 && !level.has(irq)) route(Type.int, 0, ISA_BUS, irq, irq === 0 ? 2 : irq);
  route(Type.int, LEVEL, ISA_BUS, SCI_IRQ, SCI_IRQ);
  for (let slot = 1; slot < 32; slot++)
    for (let pin = 0; pin < 4; pin++)
      route(Type.int, LEVEL, PCI_BUS, (slot << 2) | pin, PCI_IRQS[((slot - 1 + pin) & 3) as 0]);
  entries.push([4, Type.extInt, 0, 0, ISA_BUS, 0, 0xff, 0], [4, Type.nmi, 0, 0, ISA_BUS, 0, 0xff, 1]);
  const body = entries.flat();
  const bytes = Uint8Array.from([
    ...characters('PCMP'),
    ...little(44 + body.length, 2),
    ...[4, 0],
    ...characters('TERRA', 8),
    ...characters('TERRARIUM', 12),
    ...little(0, 4),
    ...little(0, 2),
    ...little(entries.length, 2),
    ...little(LOCAL_APIC, 4),
    ...little(0, 4),
    ...body,
  ]);
  checksum(bytes, 7);
  return bytes;
}
