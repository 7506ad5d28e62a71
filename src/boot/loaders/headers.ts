/**
 * What kernels’ headers say, as plain data: an image holds it.
 *
 * @module
 */

/** A video mode that a kernel would like; 0 where it does not care. */
export interface VideoWish {
  text: boolean;
  width: number;
  height: number;
  bits: number;
}

/** A multiboot header. */
export interface MultibootHeader {
  /** Where it lies in the file. */
  offset: number;
  flags: number;
  video?: VideoWish;
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
  /** Where it lies in the file. */
  offset: number;
  addresses?: HeaderAddresses;
  entry?: number;
  video?: VideoWish;
  /** The kernel will not do without a console. */
  needsConsole?: true;
  /** It could lie elsewhere, and wants to hear where it lies. */
  relocatable?: true;
  sections?: LoaderSections;
}

export type LinuxEntry = 16 | 32 | 64;

/** What a loader needs to know of a kernel: plain data. */
export interface LinuxHeader {
  /** By which entry it starts. */
  entry: LinuxEntry;
  /** Boot protocol: 0x20f for 2.15. 0 for a vmlinux, which has no header. */
  version: number;
  /** Boot sector and setup code: the real-mode part. Empty for a vmlinux. */
  setup: Uint8Array;
  /** Where the protected-mode part goes. */
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
  /** Sections that lie in no segment. */
  loose: { index: number; bytes: Uint8Array }[];
  wide: boolean;
}

/** How a kernel wants to be started, as its file says it: plain data. */
export type Loader =
  | ({ protocol: 'multiboot' } & MultibootHeader)
  | ({ protocol: 'multiboot2' } & Multiboot2Header)
  | ({ protocol: 'linux' } & LinuxHeader)
  | { protocol: 'pvh'; entry: number };
