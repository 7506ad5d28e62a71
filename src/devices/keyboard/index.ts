/**
 * Keyboard, mouse, and their controller.
 *
 * @module
 */
export {
  KeyboardController,
  type KeyboardControllerOptions,
  type KeyboardControllerState,
  type KeySource,
  type MouseSource,
} from './i8042.js';
export { type KeyEvent, keyNames, type ScanCodes, strokesOf } from './keys.js';
export { type KeyboardState, Led } from './ps2-keyboard.js';
export type { MouseMove, MouseState } from './ps2-mouse.js';
