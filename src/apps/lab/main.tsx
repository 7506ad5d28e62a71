/**
 * The lab: a page to write a guest, run it, see its exits and go back in its time.
 *
 * @module
 */
import { render } from 'preact';
import '@xterm/xterm/css/xterm.css';
import './styles/base.css';
import './styles/panes.css';
import './styles/editor.css';
import './styles/tables.css';
import './styles/drawings.css';
import './styles/time.css';
import { App } from './app.js';
import { start } from './controller.js';
import { findLinux } from './linux.js';
import { begin } from './opening.js';

const place = document.getElementById('lab');
if (place !== null) {
  place.replaceChildren();
  render(<App />, place);
}
void begin(start());
void findLinux().catch(() => {});
