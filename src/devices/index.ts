/**
 * Devices: one a file, pure, made of what `contract.ts` says. `docs/devices.md` is their manual.
 *
 * @module
 */
export { DEBUG_CONSOLE_PORT, DebugConsole } from './debug-console.js';
export { DEBUG_EXIT_PORT, DebugExit } from './debug-exit.js';
export { DEBUG_NMI_PORT, DebugNmi } from './debug-nmi.js';
export { type HypercallClocks, type HypercallOptions, type HypercallState, Hypercalls } from './hypercall.js';
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
} from './hypercall-abi.js';
export {
  KeyboardController,
  type KeyboardControllerOptions,
  type KeyboardControllerState,
  type KeyboardState,
  type KeyEvent,
  type KeySource,
  keyNames,
  Led,
  type ScanCodes,
  strokesOf,
} from './keyboard/index.js';
export { Pic8259, type PicState } from './pic8259.js';
export { PIT_HZ, Pit8254, type PitState } from './pit8254.js';
export { PSEUDO_SERIAL_PORT, PseudoSerial } from './pseudo-serial.js';
export { Cmos, type CmosOptions, type CmosState } from './rtc/index.js';
export { Serial16550, type SerialOptions, type SerialState } from './serial16550.js';
export {
  type Backend,
  consoleBackend,
  DEFAULT_QUEUE_LENGTH,
  type DeviceCounts,
  echoBackend,
  type Notification,
  notifications,
  Simvirtio,
  SimvirtioByExits,
  SimvirtioByTicks,
  type SimvirtioOptions,
  STANDARD_BACKENDS,
  simvirtio,
  simvirtioRegions,
  sinkBackend,
  standardBackends,
} from './simvirtio/index.js';
export { type StandardDevicesOptions, standardDevices } from './standard.js';
export { DeviceStateError } from './state.js';
export {
  SystemControl,
  type SystemControlOptions,
  type SystemControlState,
  type Tone,
} from './system-control.js';
export { Vga, type VgaSaved } from './vga/index.js';
