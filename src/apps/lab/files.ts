/**
 * Files that are dropped on the page: sources, images, disks, snapshots, kernels.
 *
 * @module
 */
import * as controller from './controller.js';
import { bootLinux, isInitrd, isLinuxKernel } from './linux.js';
import { notice } from './notices.js';
import { open } from './opening.js';
import { blank } from './projects.js';
import * as state from './state.js';

/** The most bytes of a dropped file. */
const MOST_BYTES = 512 * 2 ** 20;

/** Opens files that are dropped on the page: sources, images, disks, snapshots. */
export async function drop(list: readonly File[]): Promise<void> {
  const small = list.filter((file) => {
    if (file.size > MOST_BYTES) {
      notice(
        `${file.name} has ${file.size} bytes: the lab opens files of up to ${MOST_BYTES / 2 ** 20} MiB`,
        true,
      );
      return false;
    }
    return true;
  });
  const rest = await openLinux(small).catch((error) => {
    controller.report(error);
    return [];
  });
  for (const file of rest) {
    try {
      await openFile(file);
    } catch (error) {
      controller.report(error);
    }
  }
}

/** A kernel and its initial file system, which may come alone for the kernel that is open. Returns the other files. */
async function openLinux(list: readonly File[]): Promise<readonly File[]> {
  const begin = async (file: File) => new Uint8Array(await file.slice(0, 0x300).arrayBuffer());
  const begins = await Promise.all(list.map(begin));
  const kernel = list.find((_, i) => isLinuxKernel(begins[i]!));
  const initrd = list.find((file, i) => file !== kernel && isInitrd(file.name, begins[i]!));
  const opened = state.dropped.value;
  const isOpen = opened !== undefined && isLinuxKernel(opened);
  if (kernel === undefined && (initrd === undefined || !isOpen)) {
    if (initrd !== undefined) notice(`${initrd.name}: drop the Linux kernel (a bzImage) with it`, true);
    return list.filter((file) => file !== initrd);
  }
  const read = async (file: File) => new Uint8Array(await file.arrayBuffer());
  const image = kernel === undefined ? opened! : await read(kernel);
  const title = kernel?.name ?? state.project.value.title;
  await bootLinux(title, image, initrd && (await read(initrd)));
  return list.filter((file) => file !== kernel && file !== initrd);
}

async function openFile(file: File): Promise<void> {
  const { name } = file;
  if (/\.terra$/.test(name)) {
    open({ ...blank, id: 'file/terra', title: name, summary: 'a snapshot', files: [], spec: {} }, false);
    await controller.openTerra(new Uint8Array(await file.arrayBuffer()));
  } else if (/\.(S|s|asm|nasm)$/.test(name)) {
    const text = await file.text();
    open({ ...blank, id: `file/${name}`, title: name, files: [{ name, text }], spec: {} }, false);
  } else if (/\.(h|inc)$/.test(name)) {
    const text = await file.text();
    state.files.value = [...state.files.value.filter((one) => one.name !== name), { name, text }];
    state.stale.value = true;
    notice(`${name} was added to the project`);
  } else if (
    /\.(iso|img|ima|flp|dsk)$/i.test(name) &&
    state.made.value !== undefined &&
    !/\.iso$/i.test(name)
  ) {
    const kind = [163840, 184320, 327680, 368640, 737280, 1228800, 1474560, 2949120].includes(file.size)
      ? 'floppy'
      : 'disk';
    const bytes = new Uint8Array(await file.arrayBuffer());
    state.drives.value = [...state.drives.value, { kind, file: name, bytes }];
    state.stale.value = true;
    notice(
      `${name} is in the machine as a ${kind === 'disk' ? 'hard disk' : 'floppy disk'}: run the guest again`,
    );
  } else {
    const bytes = new Uint8Array(await file.arrayBuffer());
    open(
      { ...blank, id: `file/${name}`, title: name, summary: 'an image', files: [], spec: { vga: true } },
      false,
    );
    state.dropped.value = bytes;
    await controller.run();
  }
}
