import type { InputSource } from './inputs.js';

/** The network port of a card: frames go out and come in, without their check sequence. */
export interface NetworkPort {
  /**
   * Accepts every frame: one for which there is no room is lost, as on a wire. The card reuses the bytes after the
   * call.
   */
  transmit(frame: Uint8Array): void;
  /** The frames for the card, which reads them by its gate, `DeviceInputs.stream`: so they are recorded. */
  readonly frames: InputSource<Uint8Array>;
  /** The card's address. Default: one of QEMU's range. */
  readonly mac?: Uint8Array;
  /** It accepts TCP segments of up to 64 KiB, so that a card need not divide them for its guest. */
  readonly takesLarge?: boolean;
  /** The machine ends. */
  dispose?(): void;
}

/** The address of cards whose port names none: the first one that QEMU gives. */
export const DEFAULT_MAC: readonly number[] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
