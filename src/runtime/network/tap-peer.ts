import { Tap } from '../../engine/kvm/index.js';
import type { Peer, ToGuest } from './peer.js';

/** An interface of the host: the guest's frames arrive there, and the host's own network does the rest. */
export function openTap(name: string, toGuest: ToGuest): Peer {
  const tap = Tap.open(name);
  let isFull = false;
  const pass = () => {
    isFull = false;
    for (let frame = tap.read(); frame !== undefined; frame = tap.read())
      if (!toGuest(frame)) {
        // The frame that was read is lost; the others wait in the host's queue.
        isFull = true;
        return;
      }
  };
  tap.watch(pass);
  return {
    receive: (frame) => void tap.write(frame),
    turn() {
      if (isFull) pass();
    },
    tick() {},
    expects: true,
    close: () => tap[Symbol.dispose](),
  };
}
