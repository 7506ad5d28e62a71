/** A program that uses the whole terminal and throws an error. Run by `life.test.ts`. */
import { FullScreen } from '../../src/apps/tui/full-screen.js';

new FullScreen({ onTyped() {}, onRedraw() {}, onDrained() {}, onEnd: async () => {} });
setTimeout(() => {
  throw new Error('something went wrong');
}, 300);
