import { type DeviceModule, flag, type MachineSpec, type OtherKeys } from '../../config/index.js';
import type { Device } from '../../devices/contract/index.js';
import { ConfigError } from '../../errors.js';
import {
  addresses,
  type ImageSource,
  object,
  objects,
  readOptions,
  requireDevice,
  texts,
} from '../../pc/index.js';
import { loadImage } from '../images/image-file.js';
import { requireData } from './data.js';
import { HostedMachine } from './hosted.js';
import type { ObserveOptions } from './protocol.js';

/** A machine's description, and what to observe while it runs. All but the image has a default. */
export interface HostedOptions extends Omit<MachineSpec, 'devices'>, ObserveOptions {
  image: ImageSource;
  /**
   * Modules, whose devices live on the machine's thread, or device objects. A guest that reads a port waits for its answer, so a machine
   * with objects runs on the caller's thread; see `hostMachine`.
   */
  devices?: readonly (Device | DeviceModule)[];
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
 * Starts a machine on its own thread and returns a handle to it. With device objects it has none: it runs on the caller's thread, whose
 * event loop has its turn every few milliseconds.
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

/** What needs a thread of its own, as `canRunHere` says, where a device object needs the caller's. */
function requireHere({ simvirtio, clock, debug, frames }: HostedOptions): void {
  const needs = [
    simvirtio === 'polling' && 'simvirtio: "polling"',
    clock === 'paced' && 'clock: "paced"',
    debug === true && 'debug',
    frames === true && 'frames',
  ].find((field) => field !== false);
  if (needs === undefined) return;
  throw new ConfigError(
    `hostMachine: ${needs} needs a thread of the machine's own, to which "devices" that are objects cannot go`,
    'put them into modules: { module: new URL("./device.js", import.meta.url).href, options: plain data }',
  );
}

const isModule = (device: unknown): device is DeviceModule =>
  typeof device === 'object' && device !== null && 'module' in device;

async function host(options: HostedOptions, here: boolean): Promise<HostedMachine> {
  const { devices, ...others } = options ?? {};
  const objects = Array.isArray(devices) ? devices.filter((one) => !isModule(one)) : [];
  // Where there is none at all, the fields' own check says more.
  if (!objects.some((one) => one instanceof Object)) return hostWith([], options, here);
  for (const device of objects) requireDevice(device, `hostMachine: "devices"[${devices!.indexOf(device)}]`);
  requireHere(options);
  const modules = devices!.filter(isModule);
  return hostWith(objects, { ...others, ...(modules.length > 0 && { devices: modules }) }, true);
}

/** @param devices objects of the caller */
async function hostWith(
  devices: readonly Device[],
  options: HostedOptions,
  here: boolean,
): Promise<HostedMachine> {
  const { spec, image, others } = readOptions(options, 'hostMachine', keys, loadImage);
  const parts = { spec, image, observe: others as ObserveOptions };
  requireData(parts);
  const machine = new HostedMachine(here, devices);
  try {
    await machine.create(parts);
    return machine;
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}
