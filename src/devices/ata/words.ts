/** The IDE controller's registers in words (ATA/ATAPI-6 chapter 7). */
import type { AccessWords } from '../contract/index.js';
import { bits, names, words } from '../words.js';

const commands = names({
  8: 'device reset',
  32: 'read sectors',
  33: 'read sectors',
  36: 'read sectors, 48 bits',
  37: 'read by DMA, 48 bits',
  39: 'native size, 48 bits',
  41: 'read multiple, 48 bits',
  48: 'write sectors',
  49: 'write sectors',
  52: 'write sectors, 48 bits',
  53: 'write by DMA, 48 bits',
  57: 'write multiple, 48 bits',
  64: 'verify sectors',
  144: 'diagnose',
  145: 'set the geometry',
  160: 'packet',
  161: 'identify packet device',
  196: 'read multiple',
  197: 'write multiple',
  198: 'set multiple',
  200: 'read by DMA',
  202: 'write by DMA',
  231: 'flush',
  234: 'flush, 48 bits',
  236: 'identify device',
  239: 'set features',
  248: 'native size',
});
const status = bits('error', '', '', 'data request', 'seek complete', 'fault', 'ready', 'busy');
const device = (value: number) => `device ${(value >> 4) & 1}${value & 0x40 ? ', LBA' : ''}`;
const errors = bits('', '', 'aborted', '', 'not found', '', 'uncorrectable', 'CRC');

const cable = ['first', 'second'] as const;

const all = cable.map((name) => {
  const is = (register: string, says?: (value: number) => string) => words(`${name} ATA ${register}`, says);
  return {
    read: [
      is('data'),
      is('error', errors),
      is('sector count'),
      is('sector, LBA low'),
      is('cylinder, LBA mid'),
      is('cylinder, LBA high'),
      is('device', device),
      is('status', status),
      is('alternate status', status),
    ],
    write: [
      is('data'),
      is('features'),
      is('sector count'),
      is('sector, LBA low'),
      is('cylinder, LBA mid'),
      is('cylinder, LBA high'),
      is('device', device),
      is('command', commands),
      is('device control', bits('', 'interrupts off', 'reset')),
    ],
    master: [
      is('bus master command', bits('start', '', '', 'to memory')),
      is('bus master, no register'),
      is('bus master status', bits('active', 'error', 'interrupt', '', '', '', '')),
      is('bus master, no register'),
      ...[0, 1, 2, 3].map((byte) => is(`bus master table, byte ${byte}`)),
    ],
  };
});

/** @param register 0 to 7, 8 for the control block's */
export function ideWords(channel: number, register: number, write: boolean): AccessWords | undefined {
  return all[channel]![write ? 'write' : 'read'][register];
}

export function masterWords(channel: number, offset: number): AccessWords | undefined {
  return all[channel]!.master[offset];
}
