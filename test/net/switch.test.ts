/** A switch between machines: their own threads, one socket, and the end of the machine that was the switch. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openNetworks } from '../../src/runtime/network/network-host.js';
import { until } from '../support.js';

const BROADCAST = [255, 255, 255, 255, 255, 255];

function plug() {
  const [network] = openNetworks({ nets: [{ kind: 'switch', name: `t${process.pid}` }] })!;
  return network!;
}

/** A frame with a marker, from a card to an address. */
function frame(to: ArrayLike<number>, from: { mac?: Uint8Array }, mark: number): Uint8Array {
  const bytes = new Uint8Array(60).fill(mark);
  bytes.set(Uint8Array.from(to), 0);
  bytes.set(from.mac!, 6);
  return bytes;
}

describe('a switch', () => {
  test('sends frames to all, and only to the addressee once it is known; and continues when its machine ends', async () => {
    const [first, second, third] = [plug(), plug(), plug()];
    const got = async (network: typeof first) => {
      let read: Uint8Array | undefined;
      await until('a frame', () => {
        read ??= network.frames.read();
        return read !== undefined;
      });
      return read!.at(-1);
    };
    second.transmit(frame(BROADCAST, second, 1));
    assert.deepEqual([await got(first), await got(third)], [1, 1]);
    third.transmit(frame(second.mac!, third, 2));
    assert.equal(await got(second), 2);
    third.transmit(frame(BROADCAST, third, 3));
    assert.equal(await got(first), 3, 'the one to the second did not come here');
    assert.equal(await got(second), 3);
    first.dispose!();
    // The others find each other again; frames sent meanwhile are lost.
    await until('another switch', () => {
      second.transmit(frame(third.mac!, second, 4));
      return third.frames.available;
    });
    assert.equal(await got(third), 4);
    second.dispose!();
    third.dispose!();
  });
});
