/**
 * Named machines: each VM is a process. Each has a control socket, which shows its console, takes its input, and
 * stops it; programs can do all that the command line does with them. `docs/manage.md` has the protocol.
 *
 * @module
 */

export { openRuntimeDirectory, type RuntimeDirectory } from '../runtime/index.js';
export type { ConsoleEvents } from './client.js';
export {
  type AttachedConsole,
  type AttachOptions,
  connectMachine,
  MachineConnection,
  type MachineUse,
  powerOffMachine,
  readConsole,
  readMessages,
  STOP_GRACE_MS,
  stopMachine,
} from './connect.js';
export {
  type DetachedMachine,
  type DetachedOptions,
  StartReporter,
  spawnDetached,
  startDetached,
} from './detached.js';
export { CONSOLE_KEPT } from './kept-log.js';
export { type ListOptions, listMachines, type MachineInfo, pidOf, removeMachine } from './list.js';
export type { MachineEnd, MachineStatus } from './protocol.js';
export { type PublishedMachine, type PublishOptions, publishMachine } from './published.js';
export type { Snapshotter } from './server.js';
