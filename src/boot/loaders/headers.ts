/**
 * The contents of kernels’ headers as plain data, as part of an image.
 *
 * @module
 */

/** A video mode that a kernel prefers; 0 for any value. */
export interface VideoRequest {
  text: boolean;
  width: number;
  height: number;
  bits: number;
}

/** A multiboot header. */
export interface MultibootHeader {
  /** Its offset in the file. */
  offset: number;
  flags: number;
  video?: VideoRequest;
  sections?: LoaderSections;
}

/** The four addresses that both versions of multiboot have. */
export interface HeaderAddresses {
  header: number;
  load: number;
  loadEnd: number;
  bssEnd: number;
}

/** A multiboot 2 header. */
export interface Multiboot2Header {
  /** Its offset in the file. */
  offset: number;
  addresses?: HeaderAddresses;
  entry?: number;
  video?: VideoRequest;
  /** The kernel requires a console. */
  needsConsole?: true;
  /** It can be moved, and wants to know its address. */
  relocatable?: true;
  sections?: LoaderSections;
}

export type LinuxEntry = 16 | 32 | 64;

/** The information that a loader needs about a kernel: plain data. */
export interface LinuxHeader {
  /** The entry by which it starts. */
  entry: LinuxEntry;
  /** Boot protocol: 0x20f for 2.15. 0 for a vmlinux, which has no header. */
  version: number;
  /** Boot sector and setup code: the real-mode part. Empty for a vmlinux. */
  setup: Uint8Array;
  /** The address of the protected-mode part. */
  load: number;
  /** Bytes that it needs from `load` on, until it runs. */
  room: number;
  initrdMax: number;
  commandLineMax: number;
}

/** The table, and the sections that are loaded with it. */
export interface LoaderSections {
  count: number;
  entrySize: number;
  /** The index of the section with the sections' names. */
  names: number;
  headers: Uint8Array;
  /** Sections that are in no segment. */
  loose: { index: number; bytes: Uint8Array }[];
  wide: boolean;
}

/** How to start a kernel, by its file: plain data. */
export type Loader =
  | ({ protocol: 'multiboot' } & MultibootHeader)
  | ({ protocol: 'multiboot2' } & Multiboot2Header)
  | ({ protocol: 'linux' } & LinuxHeader)
  | { protocol: 'pvh'; entry: number };
