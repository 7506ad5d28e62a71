/**
 * Recognises ELF files for a boot loader: by a multiboot header, or the note with PVH's entry.
 * Source: "System V ABI" chapter 5 (notes); Xen's public/elfnote.h (XEN_ELFNOTE_PHYS32_ENTRY) and docs/misc/pvh.pandoc.
 *
 * @module
 */
import { hasMultiboot, hasMultiboot2 } from './headers.js';
import type { ImageBytes, Recognised } from './kinds.js';

const PT_NOTE = 4;
const PHYS32_ENTRY = 18;
const OWNER = 'Xen\0';
/** More than any kernel has; a damaged file may name any number. */
const MAX_HEADERS = 256;
/** Notes are short. */
const MAX_NOTES = 65536;

export function recogniseElf(file: ImageBytes, head: Uint8Array): Recognised {
  const one = hasMultiboot(head);
  if (one !== undefined)
    return {
      kind: 'multiboot',
      evidence: `an ELF file with a multiboot header at offset 0x${one.offset.toString(16)}`,
    };
  const two = hasMultiboot2(head);
  if (two !== undefined)
    return {
      kind: 'multiboot2',
      evidence: `an ELF file with a multiboot 2 header at offset 0x${two.offset.toString(16)}`,
    };
  const entry = pvhEntry(file);
  if (entry !== undefined)
    return { kind: 'pvh', evidence: `an ELF file with a PVH note, entry 0x${entry.toString(16)}` };
  const bits = head[4] === 2 ? 64 : 32;
  return { kind: 'elf', evidence: `an ELF file of ${bits} bits` };
}

/** The physical address of a kernel's entry for PVH; undefined where no note has it. */
export function pvhEntry(file: ImageBytes): number | undefined {
  const header = file.read(0, 64);
  if (header.length < 52) return undefined;
  const wide = header[4] === 2;
  if (wide && header.length < 64) return undefined;
  const view = viewOf(header);
  const table = wide ? Number(view.getBigUint64(32, true)) : view.getUint32(28, true);
  const size = view.getUint16(wide ? 54 : 42, true);
  const count = Math.min(view.getUint16(wide ? 56 : 44, true), MAX_HEADERS);
  if (size < (wide ? 56 : 32)) return undefined;
  for (let n = 0; n < count; n++) {
    const bytes = file.read(table + n * size, size);
    if (bytes.length < size) return undefined;
    const entry = viewOf(bytes);
    if (entry.getUint32(0, true) !== PT_NOTE) continue;
    const at = wide ? Number(entry.getBigUint64(8, true)) : entry.getUint32(4, true);
    const length = wide ? Number(entry.getBigUint64(32, true)) : entry.getUint32(16, true);
    const found = entryOf(file.read(at, Math.min(length, MAX_NOTES)));
    if (found !== undefined) return found;
  }
  return undefined;
}

function entryOf(notes: Uint8Array): number | undefined {
  const view = viewOf(notes);
  for (let at = 0; at + 12 <= notes.length; ) {
    const [nameSize, size, type] = [0, 4, 8].map((offset) => view.getUint32(at + offset, true)) as [
      number,
      number,
      number,
    ];
    const name = at + 12;
    const content = name + Math.ceil(nameSize / 4) * 4;
    const owner = String.fromCharCode(...notes.subarray(name, name + Math.min(nameSize, OWNER.length)));
    if (
      type === PHYS32_ENTRY &&
      nameSize === OWNER.length &&
      owner === OWNER &&
      size >= 4 &&
      content + 4 <= notes.length
    )
      return view.getUint32(content, true);
    at = content + Math.ceil(size / 4) * 4;
  }
  return undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
