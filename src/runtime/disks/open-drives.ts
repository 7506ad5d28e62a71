import { inflateRawSync } from 'node:zlib';
import type { DiskFile, MachineSpec } from '../../config/index.js';
import {
  type Disk,
  DiskError,
  type Drive,
  type DriveKind,
  Drives,
  floppyFor,
  type Inflate,
  OverlayDisk,
  QCOW2_MAGIC,
  Qcow2Disk,
  RawDisk,
  SECTOR,
  sectorsOf,
} from '../../devices/index.js';
import { HostFile } from './host-file.js';
import { makeCopy } from './keep-copy.js';

/** The most drives of a kind: two ATA channels with two each, a floppy cable with two, and slots of PCI. */
const MOST: Record<DriveKind, number> = { disk: 4, floppy: 2, cdrom: 4, virtio: 8 };
const NAMES: Record<DriveKind, string> = { disk: 'hd', floppy: 'fd', cdrom: 'cd', virtio: 'vd' };

/**
 * Opens the disks that a machine's description names, on the thread that runs it.
 * @returns undefined where it names none
 * @throws DiskError that names the file; then none is open
 */
export function openDrives(spec: MachineSpec): Drives | undefined {
  const { disks = [], floppies = [], cdroms = [] } = spec;
  if (disks.length + floppies.length + cdroms.length === 0) return undefined;
  const drives: Drive[] = [];
  try {
    openAll(
      'disk',
      disks.filter(({ bus }) => bus !== 'virtio'),
      drives,
    );
    openAll(
      'virtio',
      disks.filter(({ bus }) => bus === 'virtio'),
      drives,
    );
    openAll('floppy', floppies, drives);
    openAll('cdrom', cdroms, drives);
    return new Drives(drives);
  } catch (error) {
    for (const { disk } of drives) disk.dispose?.();
    throw error;
  }
}

function openAll(kind: DriveKind, files: readonly DiskFile[], into: Drive[]): void {
  if (files.length > MOST[kind])
    throw new DiskError(`${files.length} drives of the kind ${kind} are more than ${MOST[kind]}`);
  for (const [index, file] of files.entries())
    into.push({
      name: `${NAMES[kind]}${index}`,
      kind,
      file: file.keep ?? file.file,
      disk: opened(kind, file),
      ...(file.serial !== undefined && { serial: file.serial }),
    });
}

function opened(kind: DriveKind, disk: DiskFile): Disk {
  const { file, keep, bus, serial } = disk;
  if (kind !== 'virtio' && (bus === 'virtio' || serial !== undefined))
    throw new DiskError(
      `${file}: ${serial === undefined ? 'only a hard disk can be on a virtio bus' : 'only a virtio disk takes a serial'}`,
      '--disk FILE,bus=virtio,serial=NAME',
    );
  if (keep === undefined) return open(kind, disk);
  if (kind === 'cdrom') throw new DiskError(`${file}: a CD cannot be written to`, 'leave ,keep out');
  makeCopy(file, keep);
  return open(kind, { file: keep, write: true });
}

function open(kind: DriveKind, { file, write = false }: DiskFile): Disk {
  if (kind === 'cdrom' && write) throw new DiskError(`${file}: a CD cannot be written to`, 'omit ,write');
  const bytes = new HostFile(file, { write });
  try {
    const raw =
      kind === 'floppy'
        ? floppyDisk(bytes)
        : isQcow2(bytes)
          ? new Qcow2Disk(bytes, inflate)
          : new RawDisk(bytes);
    return write || kind === 'cdrom' ? raw : new OverlayDisk(raw);
  } catch (error) {
    bytes.close();
    throw error;
  }
}

/** Bytes after the packed ones in their last sector are ignored (Z_SYNC_FLUSH). */
const inflate: Inflate = (packed, most) =>
  inflateRawSync(packed, {
    maxOutputLength: most,
    finishFlush: 2,
  });

function isQcow2(file: HostFile): boolean {
  const magic = new Uint8Array(4);
  if (file.size < magic.length) return false;
  file.read(0, magic);
  return new DataView(magic.buffer).getUint32(0) === QCOW2_MAGIC;
}

/** A floppy has a format's size: a shorter image is its beginning. */
function floppyDisk(file: HostFile): Disk {
  const format = floppyFor(Math.ceil(file.size / SECTOR));
  if (format === undefined)
    throw new DiskError(
      `${file.name}: ${file.size} bytes do not fit on a floppy, of at most 2880K`,
      'is it a hard disk? --disk FILE',
    );
  return new RawDisk(file, sectorsOf(format));
}
