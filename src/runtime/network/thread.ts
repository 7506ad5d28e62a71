/**
 * The thread of a network: passes the guest’s frames to the card’s network, and its frames to the guest.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Control, wakeThread } from '../../engine/contract/index.js';
import { KvmEngine } from '../../engine/kvm/index.js';
import { isTerrariumError } from '../../errors.js';
import { Link, LinkState, type NetworkCall, NetworkLink, type NetworkStart } from './channel.js';
import type { Peer } from './peer.js';
import { openPeer } from './peers.js';

/** The most frames that are handled before the sockets have their turn. */
const AT_ONCE = 256;
const TICK_MS = 100;

const port = parentPort;
if (port === null) throw new Error('this module runs only inside a Worker');
const { spec, buffers } = workerData as NetworkStart;
const link = new NetworkLink(buffers);
const { control, toNetwork, toGuest } = link;

let machine: NetworkCall | undefined;
let peer: Peer | undefined;
let isOver = false;

/** Notifies the machine of its frames, once until it has reacted. */
function callMachine(): void {
  if (machine === undefined || Atomics.exchange(control, Link.called, 1) === 1) return;
  wakeThread(machine.control);
  if (machine.hostKernel && Atomics.load(machine.control, Control.running) === 1)
    new KvmEngine().kick(machine.control);
}

/** Frames of this turn of the event loop are announced at its end. */
let tells = false;
function told(): void {
  if (tells) return;
  tells = true;
  setImmediate(() => {
    tells = false;
    noteExpects();
    callMachine();
  });
}

function noteExpects(): void {
  Atomics.store(control, Link.expects, peer?.expects === true ? 1 : 0);
}

function send(frame: Uint8Array): boolean {
  told();
  return toGuest.write(frame);
}

async function run(open: Peer): Promise<void> {
  while (!isOver) {
    const seen = Atomics.load(control, Link.wake);
    Atomics.store(control, Link.woken, 0);
    let count = 0;
    for (; count < AT_ONCE; count++) {
      const frame = toNetwork.read(() => {});
      if (frame === undefined) break;
      open.receive(frame);
    }
    open.turn();
    // First the expectation is published, then the count of handled frames: a reader of the second also sees the first.
    noteExpects();
    if (toNetwork.isEmpty) Atomics.store(control, Link.handled, seen);
    Atomics.notify(control, Link.handled);
    if (count > 0) callMachine();
    if (!toNetwork.isEmpty) {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    const waited = Atomics.waitAsync(control, Link.wake, seen);
    if (waited.async) await waited.value;
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

port.on('message', (message: NetworkCall | 'end') => {
  if (message === 'end') {
    isOver = true;
    peer?.close();
    process.exit();
  }
  machine = message;
  // Frames may have come before the machine was there.
  Atomics.store(control, Link.called, 0);
  if (!toGuest.isEmpty) callMachine();
});

try {
  peer = await openPeer(spec, send);
  setInterval(() => {
    peer?.tick();
    noteExpects();
  }, TICK_MS);
  link.say(LinkState.open, '');
  void run(peer);
} catch (error) {
  const { message } = error as Error;
  const hint = isTerrariumError(error) ? error.hint : undefined;
  link.say(LinkState.failed, JSON.stringify({ message, hint }));
  process.exit();
}
