/**
 * The launcher: a machine like LibKVM's, with callbacks instead of devices. See docs/launcher.md.
 *
 * @module
 */
export {
  type AccessName,
  type InterruptPins,
  type LauncherCallbacks,
  type Stop,
  stop,
  type UnhandledAccess,
} from './callbacks.js';
export { Launcher, type LauncherConfig } from './launcher.js';
export type { LauncherEnd, LauncherRunOptions } from './run.js';
