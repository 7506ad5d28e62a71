import { type Image, parseImage } from '../boot/index.js';
import type { ByteSink, ByteSource, Device } from '../devices/contract.js';
import { standardDevices } from '../devices/index.js';
import type { Engine } from '../engine/contract.js';
import { Machine, type MachineConfig } from '../machine/index.js';
import { type EngineName, engineByName } from './engines.js';
import { loadImage } from './image-file.js';

/** A machine's configuration with everything optional that has a sensible default. */
export interface LocalConfig extends Omit<MachineConfig, 'engine' | 'image'> {
  /** Default `auto`. */
  engine?: EngineName | Engine;
  /** A file (image, source or guest folder), an image's bytes, or a parsed image. */
  image: string | Uint8Array | Image;
  /** Your own devices, beside the standard ones. */
  devices?: readonly Device[];
  /** False leaves out the debug console, the serial port and the debug exit. */
  standardDevices?: boolean;
  /** Where the console's bytes go; default: nowhere. */
  output?: ByteSink;
  /** What the serial port reads. */
  input?: ByteSource;
}

/**
 * Makes a machine on this very thread. It is synchronous: while `run` runs, nothing else does.
 *
 * ```ts
 * using machine = createMachine({ image: 'hello.S', output: (bytes) => process.stdout.write(bytes) });
 * const outcome = machine.run({ timeoutMs: 1000 });
 * ```
 */
export function createMachine(config: LocalConfig): Machine {
  const {
    engine = 'auto',
    image,
    standardDevices: standard = true,
    output = () => {},
    input,
    ...rest
  } = config;
  const { mode, load } = config;
  const loaded =
    typeof image === 'string'
      ? loadImage(image, { ...(mode !== undefined && { mode }), ...(load !== undefined && { load }) })
      : { image: image instanceof Uint8Array ? parseImage(image, 'image') : image, defaults: {} };
  const { timeoutMs: _, ...defaults } = { timeoutMs: undefined, ...loaded.defaults };
  return new Machine({
    ...defaults,
    ...rest,
    engine: typeof engine === 'string' ? engineByName(engine) : engine,
    image: loaded.image,
    devices: [
      ...(standard ? standardDevices({ output, ...(input && { input }) }) : []),
      ...(config.devices ?? []),
    ],
  });
}
