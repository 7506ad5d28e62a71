import type { InputSource } from './inputs.js';

/** What a network card is plugged into: frames go out and come in, without their check sequence. */
export interface NetworkPort {
  /** The largest frame that it takes from a card that can divide larger ones itself. */
  readonly mostFrame: number;
  /** Takes a frame, always: what finds no room is lost, as on a wire. The bytes are the card's again after the call. */
  send(frame: Uint8Array): void;
  /** The frames for the card, which reads them by its gate, `DeviceInputs.stream`. */
  readonly source: InputSource<Uint8Array>;
  /** The machine ends. */
  dispose?(): void;
}
