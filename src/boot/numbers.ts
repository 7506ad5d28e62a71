/** How many bits a physical address has at most (SDM 3A 4.1.4). */
export const PHYSICAL_BITS = 52;

/** An address for messages. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** A range of addresses for messages: first and last byte. */
export function range(address: number, size: number): string {
  return `${hex(address)}–${hex(address + Math.max(size, 1) - 1)}`;
}

/** A size in the largest of G, M and K that divides it, as `--memory` takes it. */
export function sizeText(bytes: number): string {
  for (const [unit, letter] of [
    [2 ** 30, 'G'],
    [2 ** 20, 'M'],
    [2 ** 10, 'K'],
  ] as const) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${letter}`;
  }
  return `${bytes} bytes`;
}

export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

export function alignDown(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}
