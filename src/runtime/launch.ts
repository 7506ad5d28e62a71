import { type Image, parseImage } from '../boot/index.js';
import type { Engine } from '../engine/contract/index.js';
import { Launcher, type LauncherConfig } from '../launcher/index.js';
import { type EngineName, engineByName } from './engines/engines.js';
import { type GuestSettings, loadImage } from './images/image-file.js';

/** A launcher's configuration with an engine by name and an image by file. */
export interface LauncherOptions extends Omit<LauncherConfig, 'engine' | 'image'> {
  /** Default `auto`. */
  engine?: EngineName | Engine;
  /** A file (image, source or guest folder), an image's bytes, or a parsed image. */
  image?: string | Uint8Array | Image;
}

/**
 * Makes a launcher on this very thread.
 *
 * ```ts
 * using launcher = createLauncher({ image: 'kernel2', callbacks: { out8: (port, value) => print(value) } });
 * const end = launcher.run({ timeoutMs: 1000 });
 * ```
 */
export function createLauncher(options: LauncherOptions = {}): Launcher {
  const { engine = 'auto', image, ...config } = options;
  const guest = image === undefined ? config : { ...config, ...open(image, config) };
  const wishes = guest.mode === undefined ? {} : { mode: guest.mode };
  return new Launcher({
    ...guest,
    engine: typeof engine === 'string' ? engineByName(engine, wishes) : engine,
  });
}

/** The image and how it wants to run, under what the caller asked for. */
function open(
  image: string | Uint8Array | Image,
  { mode, load, stack, memory, slots }: Omit<LauncherConfig, 'engine' | 'image'>,
): Pick<LauncherConfig, 'image' | 'mode' | 'load' | 'stack' | 'memory'> {
  if (image instanceof Uint8Array) return { image: parseImage(image, 'image') };
  if (typeof image !== 'string') return { image };
  const asked: GuestSettings = {
    ...(mode !== undefined && { mode }),
    ...(load !== undefined && { load }),
    ...(stack !== undefined && { stack }),
    ...(memory !== undefined && { memory }),
  };
  const { image: loaded, settings } = loadImage(image, asked);
  const { timeoutMs: _, memory: size, ...placement } = settings;
  // Whoever names slots lays the memory out himself: what a guest folder would like does not add to it.
  const said = memory !== undefined || slots === undefined;
  return { image: loaded, ...placement, ...(said && size !== undefined && { memory: size }) };
}
