import {
  createFrom,
  type Machine,
  type MachineOptions,
  type Opener,
  restoreFrom,
  restoresBy,
} from '../pc/index.js';
import { openDrives } from './disks/open-drives.js';
import { openFirmware } from './disks/open-firmware.js';
import { openFwCfg } from './disks/open-fw-cfg.js';
import { engineByName } from './engines/engines.js';
import { openBeside } from './images/beside.js';
import { loadImage } from './images/image-file.js';
import { openNetworks } from './network/network-host.js';

/** The resources that this host opens by name. */
const opener: Opener = {
  engine: engineByName,
  image: loadImage,
  drives: openDrives,
  networks: openNetworks,
  beside: openBeside,
  firmware: openFirmware,
  fwCfg: openFwCfg,
};

/**
 * Makes a machine on the calling thread. It is synchronous: `run` blocks the thread. SIMVIRTIO by polling is polled on this
 * thread too, at each tick of the machine; a hosted machine has a thread for it.
 *
 * ```ts
 * using machine = createMachine({ image: 'hello.S', output: (bytes) => process.stdout.write(bytes) });
 * const outcome = machine.run({ timeoutMs: 1000 });
 * ```
 * @throws ConfigError for an unknown field or a value of the wrong type; ImageError, ToolchainError, and the engine's error
 * where it cannot run on this host
 */
export function createMachine(options: MachineOptions): Machine {
  return createFrom(options, opener);
}

restoresBy((snapshot, options) => restoreFrom(snapshot, options, opener));
