/** Where a device's output goes. The bytes are the device's own buffer: use them before you return. */
export type ByteSink = (bytes: Uint8Array) => void;

/** Where a device's input comes from. */
export interface ByteSource {
  /** The next byte, or -1 where there is none now. */
  read(): number;
  /** True if `read` would give a byte. */
  readonly available: boolean;
}
