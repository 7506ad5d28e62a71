import type { Device, InterruptController } from '../devices/contract.js';
import { DebugNmi, Pic8259, Pit8254 } from '../devices/index.js';

/** Who brings interrupts to the CPU: nobody, devices of Terrarium's, or controllers inside the engine (KVM's). */
export const irqchipNames = ['none', 'user', 'kernel'] as const;
export type IrqchipName = (typeof irqchipNames)[number];

/**
 * What a machine gets that does not say: a PC's controllers and timer as devices. They are silent until a guest
 * initializes them, so one that knows nothing of them is not affected.
 */
export const DEFAULT_IRQCHIP: IrqchipName = 'user';

/** What a machine's configuration needs for the choice: its `irqchip`, and devices to add. */
export function irqchipParts(name: IrqchipName): {
  irqchip: 'none' | 'kernel' | InterruptController;
  devices: Device[];
} {
  // An NMI needs no controller.
  const nmi = new DebugNmi();
  if (name !== 'user') return { irqchip: name, devices: [nmi] };
  const pic = new Pic8259();
  return { irqchip: pic, devices: [nmi, pic, new Pit8254()] };
}
