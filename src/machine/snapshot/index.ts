/** The whole state of a machine; see snapshot.ts. */
export {
  loadMachine,
  MACHINE_STATE_VERSION,
  type MachineState,
  MachineStateError,
  saveMachine,
} from './snapshot.js';
export { WrittenPages } from './written-pages.js';
