import { type Image, parseImage } from '../boot/index.js';
import type { ByteSink, ByteSource, Device } from '../devices/contract/index.js';
import {
  type HypercallOptions,
  type KeyboardControllerOptions,
  type Notification,
  STANDARD_BACKENDS,
  simvirtio,
  simvirtioRegions,
  standardBackends,
  standardDevices,
  type Tone,
  Vga,
} from '../devices/index.js';
import type { Engine } from '../engine/contract/index.js';
import { DEFAULT_MEMORY, Machine, type MachineConfig } from '../machine/index.js';
import { board, DEFAULT_IRQCHIP, giveWay, type IrqchipName, servicesOf, startOfTime } from '../pc/index.js';
import { type EngineName, type EngineWishes, engineByName } from './engines/engines.js';
import { type GuestSettings, loadImage } from './images/image-file.js';

/** A machine's configuration with everything optional that has a sensible default. */
export interface LocalConfig extends Omit<MachineConfig, 'engine' | 'image'> {
  /** Default `auto`. */
  engine?: EngineName | Engine;
  /** A file (image, source or guest folder), an image's bytes, or a parsed image. */
  image: string | Uint8Array | Image;
  /** Your own devices, beside the standard ones; one that claims a standard device's ports takes its place. */
  devices?: readonly Device[];
  /** False leaves out the debug console, the serial port and the debug exit. */
  standardDevices?: boolean;
  /** Where the console's bytes go; default: nowhere. */
  output?: ByteSink;
  /** What the serial port reads. */
  input?: ByteSource;
  /**
   * SIMVIRTIO's devices. By polling they are looked at on this very thread, each time the machine ticks: every few
   * milliseconds. A hosted machine has a thread for it.
   */
  simvirtio?: Notification;
  /** Where keys come from, and who hears of the keyboard's lights. */
  keys?: KeyboardControllerOptions;
  /** Told when the guest's speaker starts, stops or changes its tone. */
  onTone?: (tone: Tone) => void;
  /** Interrupt controllers and timer; default `user`, or `none` without the standard devices. */
  irqchip?: IrqchipName;
  /** A VGA, whose picture is `machine.screen`. Its memory takes the place of RAM from A0000 to BFFFF. Default: none. */
  vga?: boolean;
  /** What hypercalls can do: calls of your own, a log, another clock or randomness than the host's. */
  hypercalls?: Omit<HypercallOptions, 'output' | 'input'>;
  /** Let the software CPU finish instructions that KVM gives up on. Default true. */
  assist?: boolean;
  /** What hypercalls' random numbers follow from where the machine goes by its CPU's clock. Default 0. */
  seed?: number;
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
    devices = [],
    output = () => {},
    input,
    hypercalls,
    keys,
    onTone,
    mode,
    load,
    stack,
    memory,
    regions,
    simvirtio: notification,
    irqchip: askedChips,
    seed,
    vga,
    assist = true,
    ...rest
  } = config;
  const asked: GuestSettings = {
    ...(mode !== undefined && { mode }),
    ...(load !== undefined && { load }),
    ...(stack !== undefined && { stack }),
    ...(memory !== undefined && { memory }),
    ...(regions !== undefined && { regions }),
    ...(notification !== undefined && { simvirtio: notification }),
    ...(askedChips !== undefined && { irqchip: askedChips }),
    ...(vga !== undefined && { vga }),
  };
  const standard =
    config.standardDevices === false
      ? []
      : standardDevices({
          output,
          ...(input && { input }),
          hypercalls: { ...servicesOf(() => machine, seed), ...hypercalls },
        });
  const { simvirtio: chosen, irqchip: chips, vga: shown, ...settings } = open(image, asked);
  const made =
    typeof engine === 'string'
      ? engineByName(engine, { assist, ...wishesOf({ ...rest, ...settings }) })
      : engine;
  // Without the standard devices the machine sees for itself whether one of the others is a controller.
  const irqchip = chips ?? (config.standardDevices === false ? undefined : DEFAULT_IRQCHIP);
  const boardDevices = board({
    irqchip: irqchip ?? 'none',
    memory: settings.memory ?? DEFAULT_MEMORY,
    startMs: startOfTime(made.name, rest.clock),
    ...(keys && { keys }),
    ...(onTone && { onTone }),
  });
  const more = chosen === undefined ? undefined : simvirtioParts(chosen, output);
  const machine: Machine = new Machine({
    ...rest,
    ...settings,
    ...(more && { regions: [...(settings.regions ?? []), ...more.regions] }),
    engine: made,
    ...(irqchip !== undefined && { irqchip }),
    devices: [
      ...giveWay(
        [
          ...standard,
          ...(more?.devices ?? []),
          ...(shown ? [new Vga()] : []),
          ...(irqchip === undefined ? [] : boardDevices),
        ],
        devices,
      ),
      ...devices,
    ],
  });
  return machine;
}

function wishesOf({ mode, clock }: Pick<MachineConfig, 'mode' | 'clock'>): EngineWishes {
  return { ...(mode !== undefined && { mode }), ...(clock !== undefined && { clock }) };
}

function simvirtioParts(notification: Notification, output: ByteSink) {
  return {
    devices: [simvirtio(notification, { backends: standardBackends(output) })],
    regions: simvirtioRegions(notification, STANDARD_BACKENDS),
  };
}

/** The image and how it wants to run. */
function open(image: LocalConfig['image'], asked: GuestSettings): GuestSettings & { image: Image } {
  if (image instanceof Uint8Array) return { ...asked, image: parseImage(image, 'image') };
  if (typeof image !== 'string') return { ...asked, image };
  const loaded = loadImage(image, asked);
  return { ...loaded.settings, image: loaded.image };
}
