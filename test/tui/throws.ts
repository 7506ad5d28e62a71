/** A program with all of the terminal, in which something goes wrong. Run by `life.test.ts`. */
import { FullScreen } from '../../src/apps/tui/full-screen.js';

new FullScreen({ onTyped() {}, onRedraw() {}, onDrained() {}, onEnd: async () => {} });
setTimeout(() => {
  throw new Error('something went wrong');
}, 300);
