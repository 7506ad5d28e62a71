/** The PCI bus and its functions. */
export { Bar, type BarKind } from './bar.js';
export { hostBridge, isaBridge, QEMU_SUBSYSTEM, QEMU_VENDOR } from './chipset.js';
export { ConfigSpace, type PciIdentity } from './config-space.js';
export { Command, Config } from './header.js';
export { Msi, MsiX } from './msi.js';
export { PciBus, type PciFunction, type PciSlot, type PciState, ROUTE_OFF } from './pci-bus.js';
