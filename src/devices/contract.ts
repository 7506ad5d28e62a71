/**
 * What a device is: a plain object with registers. It knows no hypervisor, no Node and no console; what it needs from
 * the machine comes in through `attach`, what it has to say goes out through the sinks its maker gave it.
 *
 * A device runs on its machine's thread and is never called twice at once.
 *
 * @module
 */
export { type Access, type AccessWords } from './contract/access.js';
export { type ByteSink, type ByteSource } from './contract/bytes.js';
export { type Device } from './contract/device.js';
export { type Windows, type DeviceHost } from './contract/host.js';
export { type LineWatcher, type InterruptController } from './contract/interrupts.js';
export { type AccessSize, type PortRange, type MemoryRange } from './contract/ranges.js';
export { type Picture, type PictureArea, type TextPicture, type Screen } from './contract/screen.js';
