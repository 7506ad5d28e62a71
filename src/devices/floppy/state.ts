/**
 * The state of a floppy controller as plain data, and the check of one that is loaded.
 *
 * @module
 */
import { decodeBase64 } from '../base64.js';
import { SECTOR } from '../disk/index.js';
import { booleanField, bytesField, DeviceStateError, registerField, stateFields } from '../state.js';
import { DRIVES, LAST_TRACK } from './registers.js';

export interface DriveState {
  track: number;
  changed: boolean;
}

export interface FloppyState {
  dor: number;
  tdr: number;
  rate: number;
  specified: number[];
  config: number[];
  locked: boolean;
  perpendicular: number;
  command: number[];
  result: number[];
  drives: DriveState[];
  /** ST0 of interrupts that SENSE INTERRUPT has not returned yet. */
  interrupts: number[];
  asking: boolean;
  /** A transfer without DMA: its sector, and how far it is. */
  data: string;
  at: number;
}

/** A state that was checked, with the sector that `data` encodes. */
export type CheckedFloppyState = FloppyState & { sector: Uint8Array };

/**
 * Checks a state from outside.
 * @param now the state of the controller that takes it: it defines the expected fields
 * @throws DeviceStateError that names what is wrong
 */
export function checkFloppyState(name: string, state: unknown, now: FloppyState): CheckedFloppyState {
  const fields = stateFields(name, state, now);
  const { drives, data, at } = fields;
  const byte = (field: keyof FloppyState, mask = 0xff) => registerField(name, field, fields[field], mask);
  const list = (field: keyof FloppyState, most: number) => bytesField(name, field, fields[field], most);
  if (!Array.isArray(drives) || drives.length !== DRIVES)
    throw new DeviceStateError(name, `'drives' is not a list of ${DRIVES}`);
  const checked = drives.map((drive, i) => {
    const { track, changed } = stateFields(name, drive, { track: 0, changed: 0 });
    return {
      track: Math.min(registerField(name, `drives[${i}].track`, track, 0xff), LAST_TRACK),
      changed: booleanField(name, `drives[${i}].changed`, changed),
    };
  });
  const sector = typeof data === 'string' ? decodeBase64(data, data === '' ? 0 : SECTOR) : undefined;
  const moves = typeof at === 'number' && Number.isInteger(at) && at >= 0 && at < SECTOR;
  const command = list('command', 9);
  if (sector === undefined || (at !== -1 && (!moves || sector.length !== SECTOR || command.length !== 9)))
    throw new DeviceStateError(name, `'data' and 'at' are no transfer`);
  const [specified, config] = [list('specified', 2), list('config', 3)];
  if (specified.length !== 2 || config.length !== 3)
    throw new DeviceStateError(name, `'specified' or 'config' is short`);
  return {
    dor: byte('dor'),
    tdr: byte('tdr', 3),
    rate: byte('rate', 3),
    perpendicular: byte('perpendicular'),
    locked: booleanField(name, 'locked', fields.locked),
    result: list('result', 10),
    interrupts: list('interrupts', 4),
    asking: booleanField(name, 'asking', fields.asking),
    specified,
    config,
    command,
    drives: checked,
    sector,
    data: data as string,
    at: at as number,
  };
}
