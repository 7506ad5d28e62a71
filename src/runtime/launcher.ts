import { parseImage } from '../boot/index.js';
import { type EngineName, type MachineSpec, readSpec } from '../config/index.js';
import type { Engine } from '../engine/contract/index.js';
import { Launcher, type LauncherConfig } from '../launcher/index.js';
import type { ImageSource } from '../pc/index.js';
import { engineByName } from './engines/engines.js';
import { loadImage } from './images/image-file.js';

/** A launcher's configuration with an engine by name and an image by file. */
export interface LauncherOptions extends Omit<LauncherConfig, 'engine' | 'image'> {
  /** Default `auto`. */
  engine?: EngineName | Engine;
  image?: ImageSource;
}

/**
 * Makes a launcher on the calling thread.
 *
 * ```ts
 * using launcher = createLauncher({ image: 'kernel2', callbacks: { out8: (port, value) => print(value) } });
 * const end = launcher.run({ timeoutMs: 1000 });
 * ```
 */
export function createLauncher(options: LauncherOptions = {}): Launcher {
  const { engine = 'auto', image, ...config } = options;
  const { mode, load, stack, memory } = config;
  const asked = readSpec({ mode, load, stack, memory }, 'createLauncher: ');
  const guest =
    image === undefined ? config : { ...config, ...open(image, asked, config.slots !== undefined) };
  return new Launcher({
    ...guest,
    engine:
      typeof engine === 'string'
        ? engineByName(engine, guest.mode === undefined ? {} : { mode: guest.mode })
        : engine,
  });
}

/**
 * The image and its own settings; the caller's fields take precedence.
 * @param slots the caller defines the memory layout: the memory size of a guest folder is ignored
 */
function open(
  image: ImageSource,
  asked: MachineSpec,
  slots: boolean,
): Pick<LauncherConfig, 'image' | 'mode' | 'load' | 'stack' | 'memory'> {
  if (image instanceof Uint8Array) return { image: parseImage(image, 'image', asked.as) };
  if (typeof image !== 'string') return { image };
  const { image: loaded, spec } = loadImage(image, asked);
  const { mode, load, stack, memory } = slots ? { ...spec, memory: asked.memory } : spec;
  return {
    image: loaded,
    ...(mode !== undefined && { mode }),
    ...(load !== undefined && { load }),
    ...(stack !== undefined && { stack }),
    ...(memory !== undefined && { memory }),
  };
}
