import type { Device } from '../contract/index.js';
import { DeviceStateError } from '../state.js';
import type { Disk } from './disk.js';
import { OverlayDisk } from './overlay.js';

/** `virtio` is a hard disk on a virtio device, not on an ATA channel. */
export type DriveKind = 'disk' | 'floppy' | 'cdrom' | 'virtio';

/** A drive with a disk in it. */
export interface Drive {
  /** `hd0` to `hd3`, `fd0`, `fd1`, `cd0` to `cd3`, `vd0` to `vd7`. */
  readonly name: string;
  readonly kind: DriveKind;
  /** The file, as text. */
  readonly file: string;
  /** Floppies have a size that a format has, hard disks any; a CD is read-only. */
  readonly disk: Disk;
  /** The disk's name at its controller, where that can be chosen. */
  readonly serial?: string;
}

/**
 * The drives of a machine. As a device it has no addresses: it saves the disks' changes with the machine's state, for
 * all controllers and firmware that use the disks, and closes them in the end.
 */
export class Drives implements Device {
  readonly name = 'disks';
  readonly list: readonly Drive[];

  constructor(list: readonly Drive[]) {
    this.list = list;
  }

  /** The drives of a kind, in their order. */
  of(kind: DriveKind): readonly Drive[] {
    return this.list.filter((drive) => drive.kind === kind);
  }

  /** The changes that are saved with the machine, of each drive that has any. */
  get lost(): { name: string; file: string; bytes: number }[] {
    return this.list.flatMap(({ name, file, disk }) =>
      disk instanceof OverlayDisk && disk.written > 0 ? [{ name, file, bytes: disk.written }] : [],
    );
  }

  save(): Record<string, unknown> {
    const state: Record<string, unknown> = {};
    for (const { name, disk, file } of this.list) {
      if (disk instanceof OverlayDisk) state[name] = disk.state();
      else if (!disk.readOnly)
        throw new DeviceStateError(
          this.name,
          `${name} writes to its file ${file}, which cannot be undone: omit ,write`,
        );
    }
    return state;
  }

  load(state: unknown): void {
    if (typeof state !== 'object' || state === null || Array.isArray(state))
      throw new DeviceStateError(this.name, 'it is not an object');
    const kept = this.list.filter(({ disk }) => disk instanceof OverlayDisk);
    const names = kept.map(({ name }) => name);
    if (Object.keys(state).sort().join() !== [...names].sort().join())
      throw new DeviceStateError(this.name, `its drives are not exactly ${names.join(', ')}`);
    for (const { name, disk } of kept)
      (disk as OverlayDisk).restore(`${this.name}: ${name}`, (state as Record<string, unknown>)[name]);
  }

  dispose(): void {
    for (const { disk } of this.list) disk.dispose?.();
  }
}
