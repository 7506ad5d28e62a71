import { Data } from '../../data-area.js';
import type { BiosDrive } from '../../drives.js';
import type { Frame } from '../../frame.js';
import type { Pc } from '../../pc.js';

/** The values of AH after INT 13h. */
export const Status = {
  ok: 0,
  badCommand: 0x01,
  writeProtected: 0x03,
  notFound: 0x04,
  changed: 0x06,
  badMedia: 0x0c,
  controller: 0x20,
  notReady: 0x80,
  notLocked: 0xb0,
  cannotEject: 0xb2,
  writeFault: 0xcc,
} as const;

const texts: Readonly<Record<number, string>> = {
  [Status.badCommand]: 'there is no such function, or no such drive',
  [Status.writeProtected]: 'write protected',
  [Status.notFound]: 'there is no such sector',
  [Status.changed]: 'the disk was changed',
  [Status.badMedia]: 'no such format',
  [Status.controller]: 'the host could not read it',
  [Status.notReady]: 'there is no such drive',
  [Status.notLocked]: 'it is not locked',
  [Status.cannotEject]: 'it cannot be ejected',
  [Status.writeFault]: 'the host could not write it',
};

export function statusText({ ah, carry }: Frame): string {
  if (!carry) return 'ok';
  return texts[ah] ?? `error ${ah.toString(16).padStart(2, '0')}h`;
}

/** Reports the result to the caller, and in the data area. */
export function answer(frame: Frame, { guest }: Pc, status: number): void {
  frame.ah = status;
  frame.carry = status !== Status.ok;
  guest.write8(frame.dl < 0x80 ? Data.floppyStatus : Data.diskStatus, status);
}

/** Accesses the drive of DL, and reports the result; a missing drive is an error. */
export function onDrive(frame: Frame, pc: Pc, act: (drive: BiosDrive) => number): void {
  const drive = pc.drives.get(frame.dl);
  answer(frame, pc, drive === undefined ? missing(frame.dl) : act(drive));
}

const missing = (number: number) => (number < 0x80 ? Status.notReady : Status.badCommand);
