/**
 * The lab: a page where one writes a guest, runs it, sees its exits and goes back in its time.
 *
 * @module
 */
import { render } from 'preact';
import '@xterm/xterm/css/xterm.css';
import './styles/base.css';
import './styles/panes.css';
import './styles/editor.css';
import { App } from './app.js';
import { start } from './controller.js';
import { begin } from './opening.js';

const place = document.getElementById('lab');
if (place !== null) {
  place.replaceChildren();
  render(<App />, place);
}
void begin(start());
