/**
 * The common fields of interrupt commands, redirection entries, LVT entries and messages (SDM 3A 11.5.1, 11.6.1,
 * 11.11).
 */
export const DeliveryMode = {
  fixed: 0,
  lowestPriority: 1,
  smi: 2,
  nmi: 4,
  init: 5,
  startUp: 6,
  extInt: 7,
} as const;

export const deliveryModeNames = [
  'fixed',
  'lowest priority',
  'SMI',
  'mode 3',
  'NMI',
  'INIT',
  'start-up',
  'ExtINT',
] as const;

/** An interrupt on its way to local APICs. */
export interface Delivery {
  readonly vector: number;
  /** `DeliveryMode` */
  readonly mode: number;
  /** Level-triggered: its EOI is reported to the I/O APICs. */
  readonly level: boolean;
  /** Logical destination: a set of APICs; else the number of one, or all with 0xff. */
  readonly logical: boolean;
  readonly destination: number;
}

/** Vectors below 16 are the processor's own; an APIC refuses them (SDM 3A 11.5.2). */
export const FIRST_VECTOR = 16;

/** Where messages go: address bits 31 to 20 (SDM 3A 11.11.1). */
const MESSAGES = 0xfee;

/** An interrupt message (MSI) as a delivery; undefined where its address is not the local APICs'. */
export function deliveryOf(address: number, data: number): Delivery | undefined {
  if (address >= 0x1_0000_0000 || address >>> 20 !== MESSAGES) return undefined;
  return {
    destination: (address >>> 12) & 0xff,
    logical: (address & 4) !== 0,
    vector: data & 0xff,
    mode: (data >>> 8) & 7,
    level: ((data >>> 15) & 1) === 1,
  };
}

/** The bus message of a delivery, as an I/O APIC outside of the kernel sends it. */
export function messageOf({ destination, logical, vector, mode, level }: Delivery): {
  address: number;
  data: number;
} {
  return {
    address: 0xfee00000 + ((destination & 0xff) << 12) + (logical ? 4 : 0),
    data: vector | (mode << 8) | (level ? 0xc000 : 0),
  };
}
