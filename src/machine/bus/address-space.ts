import type { Device, MemoryRange, PortRange } from '../../devices/contract/index.js';
import { ConfigError } from '../../errors.js';

/** A range of addresses and the device that answers it. */
export interface Claim {
  readonly first: number;
  readonly last: number;
  /** The widest access the device takes, in bytes. */
  readonly width: number;
  readonly coalesce: boolean;
  readonly device: Device;
  /** The device's number in its machine, for the exit log. */
  readonly index: number;
}

/** Who answers which address: ports or guest physical memory. Ranges never overlap. */
export class AddressSpace {
  readonly #name: 'port' | 'memory';
  readonly #claims: Claim[] = [];
  /** The claim that answered last: guests stay with one device for long. */
  #recent: Claim | undefined;

  constructor(name: 'port' | 'memory') {
    this.#name = name;
  }

  get claims(): readonly Claim[] {
    return this.#claims;
  }

  add(device: Device, index: number, range: PortRange | MemoryRange): void {
    const [first, length] = 'first' in range ? [range.first, range.count] : [range.address, range.size];
    const last = first + length - 1;
    const limit = this.#name === 'port' ? 0xffff : Number.MAX_SAFE_INTEGER;
    if (!Number.isInteger(first) || !Number.isInteger(length) || first < 0 || length < 1 || last > limit) {
      throw new ConfigError(
        `device '${device.name}' claims ${length} ${this.#name} addresses from ${first}`,
        this.#name === 'port' ? 'ports go from 0 to 0xffff' : 'addresses are whole numbers from 0',
      );
    }
    const other = this.#claims.find((claim) => first <= claim.last && claim.first <= last);
    if (other !== undefined) {
      throw new ConfigError(
        `devices '${other.device.name}' and '${device.name}' both claim ${this.#name} 0x${Math.max(first, other.first).toString(16)}`,
        'move one of them',
      );
    }
    const { width = 4, coalesce = false } = range;
    this.#claims.push({ first, last, width, coalesce, device, index });
    this.#claims.sort((a, b) => a.first - b.first);
  }

  find(address: number): Claim | undefined {
    const recent = this.#recent;
    if (recent !== undefined && address >= recent.first && address <= recent.last) return recent;
    let low = 0;
    let high = this.#claims.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const claim = this.#claims[middle]!;
      if (address < claim.first) high = middle - 1;
      else if (address > claim.last) low = middle + 1;
      else {
        this.#recent = claim;
        return claim;
      }
    }
    return undefined;
  }
}
