/** The network of a card, on the network's thread. */
export interface Peer {
  /** A frame of the guest. It belongs to the peer. */
  receive(frame: Uint8Array): void;
  /** Called after frames that came together, and when the guest's ring has room again. */
  turn(): void;
  /** Every 100 ms. */
  tick(): void;
  /** Something may come for the guest. */
  readonly expects: boolean;
  close(): void;
}

/** Sends a frame to the guest; false where there is no room for it. */
export type ToGuest = (frame: Uint8Array) => boolean;
