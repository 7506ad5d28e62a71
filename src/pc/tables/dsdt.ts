import { HPET_ADDRESS, MMIO_SIZE, SLEEP_OFF } from '../../devices/index.js';
import {
  type Aml,
  device,
  dma,
  eisaId,
  fixedMemory,
  int,
  interrupt,
  ioPorts,
  irq,
  name,
  pack,
  passed,
  resources,
  scope,
  text,
} from './aml.js';

/** Where the four interrupt pins of PCI lead: see `PCI_ROUTES` of the chipset. */
export const PCI_IRQS = [10, 10, 11, 11] as const;
const SLOTS = 32;
/** What is after PCI memory: the APICs' pages and the firmware. */
const HOLE_END = 0xfebf_ffff;

/** A device on ISA with its resources. */
function isa(path: string, id: string, ...descriptors: number[][]): Aml {
  return device(path, name('_HID', eisaId(id)), name('_CRS', resources(...descriptors)));
}

function serial(number: number, base: number, line: number): Aml {
  return device(
    `COM${number}`,
    name('_HID', eisaId('PNP0501')),
    name('_UID', int(number)),
    name('_CRS', resources(ioPorts(base, 8), irq(line))),
  );
}

/** Each slot's four pins and their interrupts: they turn by a place a slot. */
function routing(): Aml {
  const entries: Aml[] = [];
  for (let slot = 1; slot < SLOTS; slot++)
    for (let pin = 0; pin < 4; pin++) {
      const line = PCI_IRQS[((slot - 1 + pin) & 3) as 0];
      entries.push(pack(int(slot * 0x1_0000 + 0xffff), int(pin), int(0), int(line)));
    }
  return pack(...entries);
}

export interface DsdtOptions {
  cpus: number;
  /** The first address of PCI memory. */
  pciHole: number;
  /** Virtio devices that are not on PCI. */
  virtio?: readonly { address: number; irq: number }[];
}

/** A virtio device at an address: the identifier is Linaro's, by which Linux recognizes it. */
function virtioDevice({ address, irq: pin }: { address: number; irq: number }, number: number): Aml {
  return device(
    `VR${number.toString(16).toUpperCase().padStart(2, '0')}`,
    name('_HID', text('LNRO0005')),
    name('_UID', int(number)),
    name('_CRS', resources(fixedMemory(address, MMIO_SIZE), interrupt(pin))),
  );
}

/** What a PC has, in ACPI's language: see docs/pc.md. */
export function dsdtCode({ cpus, pciHole, virtio = [] }: DsdtOptions): Aml {
  const pci = device(
    'PCI0',
    name('_HID', eisaId('PNP0A03')),
    name('_ADR', int(0)),
    name('_UID', int(0)),
    name('_BBN', int(0)),
    name(
      '_CRS',
      resources(
        passed('bus', 0, 0xff),
        ioPorts(0xcf8, 8),
        passed('io', 0, 0xcf7),
        passed('io', 0xd00, 0xffff),
        passed('memory', 0xa_0000, 0xb_ffff),
        passed('memory', pciHole, HOLE_END),
      ),
    ),
    name('_PRT', routing()),
    device(
      'ISA_',
      name('_ADR', int(0x1_0000)),
      isa('PIC_', 'PNP0000', ioPorts(0x20, 2), ioPorts(0xa0, 2), ioPorts(0x4d0, 2)),
      isa('TIMR', 'PNP0100', ioPorts(0x40, 4), irq(0)),
      isa('DMAC', 'PNP0200', ioPorts(0, 16), ioPorts(0x81, 15), ioPorts(0xc0, 32), dma(4)),
      isa('RTC_', 'PNP0B00', ioPorts(0x70, 2), irq(8)),
      isa('KBD_', 'PNP0303', ioPorts(0x60, 1), ioPorts(0x64, 1), irq(1)),
      isa('MOU_', 'PNP0F13', irq(12)),
      isa('FDC0', 'PNP0700', ioPorts(0x3f0, 6), ioPorts(0x3f7, 1), irq(6), dma(2)),
      isa('LPT_', 'PNP0400', ioPorts(0x378, 8), irq(7)),
      serial(1, 0x3f8, 4),
      serial(2, 0x2f8, 3),
      serial(3, 0x3e8, 4),
      serial(4, 0x2e8, 3),
    ),
    device('PX13', name('_ADR', int(0x1_0003))),
  );
  const processors = Array.from({ length: cpus }, (_, i) =>
    device(
      `C${i.toString(16).toUpperCase().padStart(3, '0')}`,
      name('_HID', text('ACPI0007')),
      name('_UID', int(i)),
    ),
  );
  const hpet = device(
    'HPET',
    name('_HID', eisaId('PNP0103')),
    name('_UID', int(0)),
    name('_CRS', resources(fixedMemory(HPET_ADDRESS, 0x400))),
  );
  return [
    ...name('_S5', pack(int(SLEEP_OFF), int(SLEEP_OFF), int(0), int(0))),
    ...scope('_SB', pci, hpet, ...processors, ...virtio.map(virtioDevice)),
  ];
}
