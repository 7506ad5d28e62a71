import type { HostedMachine } from '../../runtime/index.js';

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
 * @param screen the terminal shows the guest's screen: what is printed waits for `close`, and keys are somebody else's
 */
export function connectConsole(
  machine: HostedMachine,
  keep: boolean,
  tap?: (bytes: Uint8Array) => void,
  screen = false,
): ConnectedConsole {
  const { stdin, stdout } = process;
  const kept: Uint8Array[] = [];
  let keptLength = 0;
  machine.onOutput((bytes) => {
    tap?.(bytes);
    if ((keep || screen) && keptLength < KEPT_BYTES) {
      kept.push(bytes);
      keptLength += bytes.length;
    }
    return screen ? undefined : new Promise<void>((resolve) => stdout.write(bytes, () => resolve()));
  });
  // Whoever read stdout has gone (`| head -1`): nobody sees what this guest prints, so it ends, as SIGPIPE ends others.
  let abandoned = false;
  stdout.on('error', () => {
    abandoned = true;
    machine.closeOutput();
    void machine.stop();
  });
  const toSerialPort = (chunk: Buffer) => {
    stdin.pause();
    void machine.send(chunk).then(() => stdin.resume());
  };
  if (!screen) stdin.on('data', toSerialPort);
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
      if (screen) for (const bytes of kept) stdout.write(bytes);
      if (flush && !stdout.writableEnded && !stdout.destroyed)
        await new Promise((resolve) => stdout.write('', resolve));
    },
  };
}
