import type { Machine } from '../machine/index.js';
import { createFrom, type MachineOptions } from '../pc/index.js';
import { openDrives } from './disks/open-drives.js';
import { engineByName } from './engines/engines.js';
import { openBeside } from './images/beside.js';
import { loadImage } from './images/image-file.js';

/**
 * Makes a machine on this very thread. It is synchronous: while `run` runs, nothing else does. SIMVIRTIO by polling is looked at
 * on this thread too, each time the machine ticks; a hosted machine has a thread for it.
 *
 * ```ts
 * using machine = createMachine({ image: 'hello.S', output: (bytes) => process.stdout.write(bytes) });
 * const outcome = machine.run({ timeoutMs: 1000 });
 * ```
 * @throws ConfigError for an unknown field or a value of another kind; ImageError, ToolchainError, and what the engine throws
 *   where it cannot run here
 */
export function createMachine(options: MachineOptions): Machine {
  return createFrom(options, {
    engine: engineByName,
    image: loadImage,
    drives: openDrives,
    beside: openBeside,
  });
}
