/**
 * Devices: one per file, pure, built on `contract.ts`. `docs/devices.md` is their manual.
 *
 * @module
 */
export {
  EngineApics,
  IO_APIC_ADDRESS,
  IoApic,
  type IoApicState,
  LocalApics,
  type LocalApicsState,
} from './apic/index.js';
export { IdeController, type IdeSeat, type IdeState, seatsOf } from './ata/index.js';
export * from './bios/index.js';
export { DEBUG_CONSOLE_PORT, DebugConsole } from './debug/console.js';
export { DEBUG_EXIT_PORT, DebugExit } from './debug/exit.js';
export { FirmwarePorts } from './debug/firmware.js';
export { DEBUG_NMI_PORT, DebugNmi } from './debug/nmi.js';
export { PvPanic, QemuDebugExit } from './debug/qemu.js';
export * from './disk/index.js';
export { E1000, type E1000State } from './e1000/index.js';
export { FirmwareRom } from './firmware-rom.js';
export { Dma8237, type DmaState, FloppyController, type FloppyState } from './floppy/index.js';
export { FpuErrors, type FpuErrorsState } from './fpu-errors.js';
export { FwCfg, type FwCfgContents } from './fw-cfg.js';
export {
  FIRST_OWN_CALL,
  HYPERCALL_PORT,
  HYPERCALL_VERSION,
  type Hypercall,
  HypercallClock,
  HypercallError,
  type HypercallErrorName,
  HypercallLimit,
  HypercallNumber,
  type HypercallRequest,
  HypercallStatus,
  isWritable,
  RequestBlock,
  type Span,
  spanOf,
  targetOf,
} from './hypercall/abi.js';
export {
  type HypercallClocks,
  type HypercallOptions,
  type HypercallState,
  Hypercalls,
} from './hypercall/hypercall.js';
export {
  KeyboardController,
  type KeyboardControllerOptions,
  type KeyboardControllerState,
  type KeySource,
  type MouseSource,
} from './keyboard/i8042.js';
export { type KeyEvent, keyNames, type ScanCodes, strokesOf } from './keyboard/keys.js';
export { type KeyboardState, Led } from './keyboard/ps2-keyboard.js';
export type { MouseMove, MouseState } from './keyboard/ps2-mouse.js';
export { ParallelPort } from './parallel.js';
export {
  Bar,
  type BarKind,
  Command as PciCommand,
  ConfigSpace,
  hostBridge,
  isaBridge,
  Msi,
  MsiX,
  PciBus,
  type PciFunction,
  type PciIdentity,
  type PciSlot,
  type PciState,
} from './pci/index.js';
export { Pic8259, type PicState } from './pic8259/pic8259.js';
export { PIT_HZ, Pit8254, type PitState } from './pit8254/pit8254.js';
export * from './power/index.js';
export { PSEUDO_SERIAL_PORT, PseudoSerial } from './pseudo-serial.js';
export { Cmos, type CmosOptions, type CmosState } from './rtc/cmos.js';
export type { CmosDrives } from './rtc/memory-size.js';
export { Serial16550, type SerialOptions, type SerialState } from './serial16550/serial16550.js';
export {
  type Backend,
  consoleBackend,
  DEFAULT_QUEUE_LENGTH,
  type DeviceCounts,
  echoBackend,
  Simvirtio,
  SimvirtioByExits,
  SimvirtioByTicks,
  type SimvirtioOptions,
  STANDARD_BACKENDS,
  simvirtio,
  sinkBackend,
  standardBackends,
} from './simvirtio/index.js';
export { type Notification, notifications, simvirtioRegions } from './simvirtio/layout.js';
export { type StandardDevicesOptions, standardDevices } from './standard.js';
export { DeviceStateError } from './state.js';
export {
  SystemControl,
  type SystemControlOptions,
  type SystemControlState,
  type Tone,
} from './system-control.js';
export type { VgaSaved } from './vga/state.js';
export { Vga } from './vga/vga.js';
export * from './virtio/index.js';
