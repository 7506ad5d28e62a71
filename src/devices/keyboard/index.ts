/**
 * Keyboard and keyboard controller.
 *
 * @module
 */
export {
  KeyboardController,
  type KeyboardControllerOptions,
  type KeyboardControllerState,
  type KeyEvent,
  type KeySource,
} from './i8042.js';
export { keyFor, keyNames, type ScanCodes } from './keys.js';
export { type KeyboardState, Led } from './ps2-keyboard.js';
