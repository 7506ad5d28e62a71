/** The page's shortcuts. */
import { move, run, stop, toggleBreakpoint } from './controller.js';
import { cursorLine } from './editor/cursor.js';
import * as state from './state.js';

/** The action of each key, for the help and for the titles of buttons. */
export const shortcuts = {
  run: 'F8',
  runBack: 'Shift+F8',
  line: 'F10',
  lineBack: 'Shift+F10',
  step: 'F7',
  stepBack: 'Shift+F7',
  pause: 'F6',
  breakpoint: 'F9',
} as const;

const actions: Readonly<Record<string, () => void>> = {
  F8: () => void run(),
  'Shift+F8': () => void move('resumeBack'),
  'Ctrl+Enter': () => void run(),
  F10: () => void move('stepLine'),
  'Shift+F10': () => void move('stepLineBack'),
  F7: () => void move('step'),
  'Shift+F7': () => void move('stepBack'),
  F6: () => void stop(),
  F9: () => toggleBreakpoint(cursorLine()),
};

export function onKey(event: KeyboardEvent): void {
  // The guest's screen takes all keys except the one that leaves it.
  if (document.activeElement instanceof HTMLCanvasElement) return;
  const name = `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.shiftKey ? 'Shift+' : ''}${event.key}`;
  const action = actions[name];
  if (action === undefined || state.status.value === 'failed') return;
  event.preventDefault();
  event.stopPropagation();
  action();
}
