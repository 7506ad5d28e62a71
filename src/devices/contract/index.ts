/**
 * A device is a plain object with registers. It uses no hypervisor, no Node and no console; it gets its needs from the
 * machine through `attach`, and its output goes to the sinks that its creator passed.
 *
 * A device runs on its machine's thread and is never called twice at once.
 *
 * @module
 */
export type { Access, AccessWords } from './access.js';
export type { ByteSink, ByteSource } from './bytes.js';
export type { CpuWires, FpuErrorPins, MsrRange, TimeStamps } from './cpu.js';
export type { Device } from './device.js';
export type { DeviceHost, SystemBus, TrackedBytes, Windows } from './host.js';
export type { DeviceInputs, InputSource, InputStream } from './inputs.js';
export type { InterruptController, Line, LineListener, PinSink, PinWatcher } from './interrupts.js';
export { DEFAULT_MAC, type NetworkPort } from './network.js';
export type { AccessSize, Claim, MemoryRange, PortRange } from './ranges.js';
export type { Glance, Picture, PictureArea, Screen, TextPicture } from './screen.js';
