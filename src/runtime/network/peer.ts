/** What a card is plugged into, on the network's thread. */
export interface Peer {
  /** A frame of the guest's. It belongs to the peer. */
  receive(frame: Uint8Array): void;
  /** After the frames that came together, and when there is room for the guest's again. */
  turn(): void;
  /** Every 100 ms. */
  tick(): void;
  /** Something may come for the guest. */
  readonly expects: boolean;
  close(): void;
}

/** Sends a frame to the guest; false where there is no room for it. */
export type ToGuest = (frame: Uint8Array) => boolean;
