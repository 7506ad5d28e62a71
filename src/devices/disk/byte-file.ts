/**
 * The storage of a disk image: a file of the host, or bytes in memory. The opener decides whether it may be written.
 */
export interface ByteFile {
  /** For errors: the file's name. */
  readonly name: string;
  /** In bytes. Grows where something is written past the end. */
  readonly size: number;
  readonly readOnly: boolean;
  /** Fills `into`. @throws DiskError where the file ends earlier or cannot be read */
  read(at: number, into: Uint8Array): void;
  /** @throws DiskError where the file cannot be written */
  write(at: number, bytes: Uint8Array): void;
  flush(): void;
  close(): void;
}
