/**
 * Encodes keys and moves of the mouse for a machine's thread. A key is a byte, its number in `keyNames`, and bit 7 for a release; a move
 * is 8 bytes.
 *
 * @module
 */
import {
  type ButtonSource,
  type KeySource,
  keyNames,
  type MouseMove,
  type MouseSource,
} from '../../devices/index.js';
import { ConfigError } from '../../errors.js';
import type { SharedRing } from './shared-ring.js';

const UP = 0x80;

/** @throws ConfigError for an unknown key. */
export function keyByte(name: string, down: boolean): number {
  const number = keyNames.indexOf(name);
  if (number < 0) {
    throw new ConfigError(
      `there is no key '${name}'`,
      'keys are named by their position, such as KeyA, Enter, ArrowUp',
    );
  }
  return number | (down ? 0 : UP);
}

/**
 * The keys that come through a ring.
 * @param look called at each look for keys
 */
export function keySource(ring: SharedRing, look: () => void): KeySource {
  return {
    get available() {
      look();
      return ring.length > 0;
    },
    read() {
      const byte = ring.readByte();
      const name = byte < 0 ? undefined : keyNames[byte & ~UP];
      return name === undefined ? undefined : { name, down: (byte & UP) === 0 };
    },
  };
}

const MOVE_BYTES = 8;

/** dx and dy in 16 bits, the wheel and the buttons in 8; longer moves are cut. */
export function moveBytes({ dx, dy, wheel = 0, buttons }: MouseMove): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(MOVE_BYTES));
  const cut = (steps: number, most: number) => Math.max(-most, Math.min(most, Math.round(steps) || 0));
  bytes.setInt16(0, cut(dx, 0x7fff));
  bytes.setInt16(2, cut(dy, 0x7fff));
  bytes.setInt8(4, cut(wheel, 127));
  bytes.setUint8(5, buttons & 31);
  return new Uint8Array(bytes.buffer);
}

/** The moves that come through a ring, whose size is a multiple of a move's: none is ever cut. */
export function mouseSource(ring: SharedRing): MouseSource {
  return {
    get available() {
      return ring.length >= MOVE_BYTES;
    },
    read() {
      const bytes = ring.length >= MOVE_BYTES ? ring.read(MOVE_BYTES) : undefined;
      if (bytes === undefined) return undefined;
      const move = new DataView(bytes.buffer, bytes.byteOffset);
      return {
        dx: move.getInt16(0),
        dy: move.getInt16(2),
        wheel: move.getInt8(4),
        buttons: move.getUint8(5),
      };
    },
  };
}

/** The presses of the power button that come through a ring. */
export function buttonSource(ring: SharedRing): ButtonSource {
  return {
    get available() {
      return ring.length > 0;
    },
    read: () => ring.readByte(),
  };
}
