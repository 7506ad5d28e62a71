import type { Device } from '../devices/contract/index.js';
import {
  Cmos,
  type CmosDrives,
  DebugNmi,
  type Drives,
  EngineApics,
  FpuErrors,
  floppyFor,
  IoApic,
  KeyboardController,
  type KeyboardControllerOptions,
  LocalApics,
  Pic8259,
  Pit8254,
  SystemControl,
  type SystemControlOptions,
} from '../devices/index.js';
import type { IrqchipName } from '../engine/contract/index.js';

export interface BoardOptions {
  irqchip: IrqchipName;
  /** A local APIC and an I/O APIC in addition to the 8259A pair, where these are devices. */
  apics?: boolean;
  /** Bytes of RAM from address 0, for the clock's RAM; see `Cmos`. */
  memory: number;
  /** The controller whose drives are described in the clock's RAM. */
  drives?: Drives | undefined;
  /** In which order a firmware tries them: `a,c,d`. */
  order?: string;
  /** What the clock shows at the start, in milliseconds since 1970; default: 1 January 2000. */
  startMs?: number;
  keys?: KeyboardControllerOptions;
  onTone?: SystemControlOptions['onTone'];
  /** The interrupt requests that are level-triggered from the start: those of PCI, where no firmware of the guest's sets them up. */
  levels?: number;
}

/** The devices that a PC's board adds to a machine. */
export function board({
  irqchip,
  apics = false,
  memory,
  drives,
  order,
  startMs,
  keys,
  onTone,
  levels = 0,
}: BoardOptions): Device[] {
  const pit = irqchip === 'user' || irqchip === 'split' ? new Pit8254() : undefined;
  return [
    // An NMI needs no controller.
    new DebugNmi(),
    ...(pit === undefined
      ? []
      : [
          ...(irqchip === 'split' ? splitControllers(levels) : controllers(apics, levels)),
          pit,
          new FpuErrors(),
        ]),
    new KeyboardController(keys),
    new Cmos({ memory, drives: cmosDrives(drives, order), ...(startMs !== undefined && { startMs }) }),
    // KVM's timer, where it is KVM's, answers port 0x61 itself.
    new SystemControl({ ...(pit && { pit }), ...(onTone && { onTone }) }),
  ];
}

function cmosDrives(drives: Drives | undefined, order: string | undefined): CmosDrives {
  const floppies = drives?.of('floppy') ?? [];
  return {
    floppies: floppies.map(({ disk }) => floppyFor(disk.sectors)?.drive ?? 0),
    hardDisks: drives?.of('disk').length ?? 0,
    ...(order !== undefined && { order: order.split(',') }),
  };
}

/** The 8259A pair, alone or behind the APICs: then LINT0 or the I/O APIC's pin 0 lets its INT through. */
function controllers(apics: boolean, levels: number): Device[] {
  if (!apics) return [new Pic8259(undefined, levels)];
  const local = new LocalApics();
  const io = new IoApic(local);
  return [new Pic8259(() => local.passesExtInt || io.passesExtInt, levels), local, io];
}

/** The 8259A pair and the I/O APIC of local APICs inside the engine, which say themselves when they let the pair's INT through. */
function splitControllers(levels: number): Device[] {
  return [new Pic8259(undefined, levels), new IoApic(new EngineApics())];
}

/** The usual devices without those whose ports or memory one of the user's own devices answers: that one takes their place. */
export function giveWay(usual: readonly Device[], own: readonly Device[]): Device[] {
  const taken = own.flatMap(placesOf);
  return usual.filter(
    (device) =>
      !placesOf(device).some((place) =>
        taken.some(
          (other) =>
            other.space === place.space &&
            place.first < other.first + other.count &&
            other.first < place.first + place.count,
        ),
      ),
  );
}

/** Where a device answers from the start. */
function placesOf({ ports = [], memory = [] }: Device) {
  return [
    ...ports.map(({ first, count }) => ({ space: 'port', first, count })),
    ...memory
      .filter(({ hidden = false }) => !hidden)
      .map(({ address, size }) => ({ space: 'memory', first: address, count: size })),
  ];
}
