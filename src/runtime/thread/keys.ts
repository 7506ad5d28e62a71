/**
 * Encodes keys for a machine's thread: a byte each, the key's number in `keyNames`, and bit 7 for a release.
 *
 * @module
 */
import { type KeySource, keyNames } from '../../devices/index.js';
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
