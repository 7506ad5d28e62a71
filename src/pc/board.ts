import type { Device } from '../devices/contract/index.js';
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
import type { IrqchipName } from '../engine/contract/index.js';

export interface BoardOptions {
  irqchip: IrqchipName;
  /** Bytes of RAM from address 0, for the clock's RAM; see `Cmos`. */
  memory: number;
  /** What the clock shows at the start, in milliseconds since 1970; default: 1 January 2000. */
  startMs?: number;
  keys?: KeyboardControllerOptions;
  onTone?: SystemControlOptions['onTone'];
}

/** The devices that a PC's board adds to a machine. */
export function board({ irqchip, memory, startMs, keys, onTone }: BoardOptions): Device[] {
  const pit = irqchip === 'user' ? new Pit8254() : undefined;
  return [
    // An NMI needs no controller.
    new DebugNmi(),
    ...(pit === undefined ? [] : [new Pic8259(), pit]),
    new KeyboardController(keys),
    new Cmos({ memory, ...(startMs !== undefined && { startMs }) }),
    // KVM's timer, where it is KVM's, answers port 0x61 itself.
    new SystemControl({ ...(pit && { pit }), ...(onTone && { onTone }) }),
  ];
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
