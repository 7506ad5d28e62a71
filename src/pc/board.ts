import type { Device, InterruptController } from '../devices/contract/index.js';
import {
  Cmos,
  DebugNmi,
  KeyboardController,
  type KeyboardControllerOptions,
  Pic8259,
  Pit8254,
  SystemControl,
  type SystemControlOptions,
} from '../devices/index.js';

/** Who brings interrupts to the CPU: nobody, devices of Terrarium's, or controllers inside the engine (KVM's). */
export const irqchipNames = ['none', 'user', 'kernel'] as const;
export type IrqchipName = (typeof irqchipNames)[number];

/**
 * What a machine gets that does not say: a PC's controllers and timer as devices. They are silent until a guest
 * initializes them, so one that knows nothing of them is not affected.
 */
export const DEFAULT_IRQCHIP: IrqchipName = 'user';

export interface BoardOptions {
  irqchip: IrqchipName;
  /** Bytes of RAM from address 0, for the clock's RAM; see `Cmos`. */
  memory: number;
  /** What the clock shows at the start, in milliseconds since 1970; default: 1 January 2000. */
  startMs?: number;
  keys?: KeyboardControllerOptions;
  onTone?: SystemControlOptions['onTone'];
}

/** What a PC's board adds to a machine: its `irqchip`, and devices. */
export function board({ irqchip, memory, startMs, keys, onTone }: BoardOptions): {
  irqchip: 'none' | 'kernel' | InterruptController;
  devices: Device[];
} {
  const pic = irqchip === 'user' ? new Pic8259() : undefined;
  const pit = irqchip === 'user' ? new Pit8254() : undefined;
  return {
    irqchip: pic ?? (irqchip === 'kernel' ? 'kernel' : 'none'),
    devices: [
      // An NMI needs no controller.
      new DebugNmi(),
      ...(pic === undefined ? [] : [pic]),
      ...(pit === undefined ? [] : [pit]),
      new KeyboardController(keys),
      new Cmos({ memory, ...(startMs !== undefined && { startMs }) }),
      // KVM's timer, where it is KVM's, answers port 0x61 itself.
      new SystemControl({ ...(pit && { pit }), ...(onTone && { onTone }) }),
    ],
  };
}

/** The usual devices without those whose ports one of the user's own devices answers: that one takes their place. */
export function giveWay(usual: readonly Device[], own: readonly Device[]): Device[] {
  const taken = own.flatMap(({ ports = [] }) => ports);
  return usual.filter(
    ({ ports = [] }) =>
      !ports.some(({ first, count }) =>
        taken.some((other) => first < other.first + other.count && other.first < first + count),
      ),
  );
}
