/**
 * What every PC reports to its firmware by fw_cfg: QEMU's items and files of the same numbers and names (QEMU, docs/specs/fw_cfg;
 * include/standard-headers/linux/qemu_fw_cfg.h).
 *
 * @module
 */
import type { FwCfgContents } from '../devices/index.js';

const Item = { ramSize: 3, cpus: 5, mostCpus: 0x0f } as const;
/** `etc/e820`: entries of an address, a length and a kind, in the processor's own order. */
const ENTRY = 20;
const RAM = 1;

/**
 * @param memory bytes of RAM from address 0
 * @param cpus how many CPUs there are
 * @param files those of the user's and of a firmware's screen; they replace ours of the same name
 */
export function fwCfgContents(
  memory: number,
  cpus: number,
  files: Readonly<Record<string, Uint8Array>>,
): FwCfgContents {
  const number = (bytes: number, value: bigint) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, value, true);
    return new Uint8Array(view.buffer, 0, bytes);
  };
  const map = new DataView(new ArrayBuffer(ENTRY));
  map.setBigUint64(8, BigInt(memory), true);
  map.setUint32(16, RAM, true);
  return {
    items: {
      [Item.ramSize]: number(8, BigInt(memory)),
      [Item.cpus]: number(2, BigInt(cpus)),
      [Item.mostCpus]: number(2, BigInt(cpus)),
    },
    files: { 'etc/e820': new Uint8Array(map.buffer), ...files },
  };
}
