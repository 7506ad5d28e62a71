/**
 * The bridges of QEMU's `pc`: an 82441FX host bridge (slot 0) and an 82371SB (PIIX3) ISA bridge (slot 1, function 0), as far as
 * programs look at them. Sources: Intel 290549 (82441FX), 290550 (82371SB).
 *
 * @module
 */
import { ConfigSpace } from './config-space.js';
import { type PciBus, type PciFunction, ROUTE_OFF } from './pci-bus.js';

const INTEL = 0x8086;
/** QEMU's identifier, by which SeaBIOS recognizes the machine. */
export const QEMU_VENDOR = 0x1af4;
export const QEMU_SUBSYSTEM = 0x1100;
const marked = { subsystemVendor: QEMU_VENDOR, subsystem: QEMU_SUBSYSTEM };

/** Which parts of C0000 to FFFFF are ROM or RAM (82441FX 3.2.17). They are RAM here in any case. */
const PAM = 0x59;
const PAM_REGISTERS = 7;
/** PIRQRC[A:D]: the routes of the four pins (82371SB 2.2.11); bits 3-0 and 7. */
const ROUTES = 0x60;

/** The host bridge. */
export function hostBridge(): PciFunction {
  const config = new ConfigSpace({
    vendor: INTEL,
    device: 0x1237,
    class: 0x06_00_00,
    revision: 2,
    ...marked,
  });
  config.allow(PAM, PAM_REGISTERS, 0xffff_ffff);
  config.allow(PAM + 4, PAM_REGISTERS - 4, 0xffff_ffff);
  // SMRAM control: stored only, since there is no SMM.
  config.set(0x72, 1, 2);
  config.allow(0x72, 1, 0x7f);
  return { config };
}

/**
 * The bridge to ISA, which routes the interrupt pins. @param routes those that firmware would set; otherwise the pins
 * lead nowhere until a guest sets them
 */
export function isaBridge(
  bus: PciBus,
  routes: readonly number[] = [ROUTE_OFF, ROUTE_OFF, ROUTE_OFF, ROUTE_OFF],
): PciFunction {
  const config = new ConfigSpace({
    vendor: INTEL,
    device: 0x7000,
    class: 0x06_01_00,
    multiFunction: true,
    ...marked,
  });
  config.set(0x04, 2, 7);
  config.set(0x4c, 1, 0x4d);
  config.allow(0x4c, 1, 0xff);
  config.allow(0x4e, 2, 0xffff);
  for (const [i, route] of routes.entries()) config.set(ROUTES + i, 1, route);
  config.allow(ROUTES, 4, 0x8f8f_8f8f);
  config.allow(0x80, 1, 0xff);
  config.onWrite = () => bus.route([...config.bytes.subarray(ROUTES, ROUTES + 4)]);
  bus.route(routes);
  return { config };
}
