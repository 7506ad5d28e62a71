/**
 * Keyboard and keyboard controller.
 *
 * @module
 */
export {
  KeyboardController,
  type KeyboardControllerOptions,
  type KeyboardControllerState,
  type KeySource,
} from './i8042.js';
export { type KeyEvent, keyNames, type ScanCodes, strokesOf } from './keys.js';
export { type KeyboardState, Led } from './ps2-keyboard.js';
