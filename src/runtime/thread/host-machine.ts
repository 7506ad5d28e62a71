import { flag, type MachineSpec, type OtherKeys } from '../../config/index.js';
import { addresses, type ImageSource, object, objects, readOptions, texts } from '../../pc/index.js';
import { loadImage } from '../images/image-file.js';
import { requireData } from './data.js';
import { HostedMachine } from './hosted.js';
import type { ObserveOptions } from './protocol.js';

/** A machine's description, and what to observe while it runs. All but the image has a default. */
export interface HostedOptions extends MachineSpec, ObserveOptions {
  image: ImageSource;
}

const keys: OtherKeys = {
  captureAt: objects,
  typing: objects,
  frames: flag,
  trace: object,
  statistics: flag,
  profile: flag,
  translations: addresses,
  debug: flag,
  symbols: object,
  replay: object,
  record: flag,
  from: object,
  ports: texts,
};

/**
 * Starts a machine on its own thread and returns a handle to it.
 *
 * ```ts
 * await using machine = await hostMachine({ image: 'hello.S' });
 * machine.onOutput((bytes) => process.stdout.write(bytes));
 * const outcome = await machine.run({ timeoutMs: 1000 });
 * ```
 * @throws ConfigError for an unknown field, a value of the wrong type, or one that cannot be sent to another thread; and all
 * that `createMachine` throws
 */
export function hostMachine(options: HostedOptions): Promise<HostedMachine> {
  return host(options, false);
}

/**
 * The same on the caller's thread, whose event loop has its turn every few milliseconds: for a program that does nothing else
 * meanwhile, and for machines that `canRunHere`. It saves the start of a thread.
 */
export function hostHere(options: HostedOptions): Promise<HostedMachine> {
  return host(options, true);
}

/** True for a machine that needs no thread of its own: modules of a user's own, polling and debuggers do. */
export function canRunHere(options: HostedOptions): boolean {
  const { clock, devices, hypercalls, simvirtio, debug, frames, name } = options;
  return (
    simvirtio !== 'polling' &&
    // It sleeps in its thread's time.
    clock !== 'paced' &&
    [devices, hypercalls, name].every((part) => part === undefined) &&
    [debug, frames].every((part) => !part)
  );
}

async function host(options: HostedOptions, here: boolean): Promise<HostedMachine> {
  const { spec, image, others } = readOptions(options, 'hostMachine', keys, loadImage);
  const parts = { spec, image, observe: others as ObserveOptions };
  requireData(parts);
  const machine = new HostedMachine(here);
  try {
    await machine.create(parts);
    return machine;
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}
