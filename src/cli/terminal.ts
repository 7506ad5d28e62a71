import type { HostedMachine } from '../host/index.js';

/** Console bytes that are kept for expectations: the first of them. A guest may print without end. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** A machine's console on this process's stdin and stdout. */
export interface ConnectedConsole {
  /** What the guest printed, where it was asked to be kept. */
  readonly bytes: Uint8Array;
  /** True when whoever read stdout has gone. */
  readonly abandoned: boolean;
  /** Lets go of stdin. With `flush`, resolves when everything printed has been handed over. */
  close(flush: boolean): Promise<void>;
}

/**
 * Connects stdout to the guest's console and stdin to its serial port, byte for byte.
 * @param keep remember what is printed
 * @param tap sees what is printed as well
 */
export function connectConsole(
  machine: HostedMachine,
  keep: boolean,
  tap?: (bytes: Uint8Array) => void,
): ConnectedConsole {
  const { stdin, stdout } = process;
  const kept: Uint8Array[] = [];
  let keptLength = 0;
  machine.onOutput((bytes) => {
    tap?.(bytes);
    if (keep && keptLength < KEPT_BYTES) {
      kept.push(bytes);
      keptLength += bytes.length;
    }
    return new Promise((resolve) => stdout.write(bytes, () => resolve()));
  });
  // Whoever read stdout has gone (`| head -1`): nobody sees what this guest prints, so it ends, as SIGPIPE ends others.
  let abandoned = false;
  stdout.on('error', () => {
    abandoned = true;
    machine.closeOutput();
    void machine.stop();
  });
  stdin.on('data', (chunk: Buffer) => {
    stdin.pause();
    void machine.send(chunk).then(() => stdin.resume());
  });
  // A closed or unreadable stdin is an empty one.
  stdin.on('error', () => {});
  return {
    get bytes() {
      return Buffer.concat(kept);
    },
    get abandoned() {
      return abandoned;
    },
    async close(flush) {
      stdin.removeAllListeners('data');
      stdin.destroy();
      if (flush && !stdout.writableEnded && !stdout.destroyed)
        await new Promise((resolve) => stdout.write('', resolve));
    },
  };
}
