/** The kinds of networks of a card, on the network's thread. */
import type { NetworkSpec } from '../../config/index.js';
import type { Peer, ToGuest } from './peer.js';
import { openSwitch } from './switch-peer.js';
import { openTap } from './tap-peer.js';
import { openUser } from './user-peer.js';

/** @throws an error that says why it cannot be opened, and what to do */
export async function openPeer(spec: NetworkSpec, toGuest: ToGuest): Promise<Peer> {
  switch (spec.kind) {
    case 'user':
      return openUser(spec, toGuest);
    case 'switch':
      return openSwitch(spec.name ?? '', toGuest);
    case 'tap':
      return openTap(spec.name ?? '', toGuest);
  }
}
