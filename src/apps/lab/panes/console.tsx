/** The guest's console: its output, and typed input for it. */
import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';
import { useEffect, useRef } from 'preact/hooks';
import { outlets, send } from '../controller.js';

function themeNow(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    background: colour('--sunk'),
    foreground: colour('--text'),
    cursor: colour('--accent'),
    cursorAccent: colour('--sunk'),
    selectionBackground: colour('--select'),
  };
}

/** The one terminal: it keeps its lines while the panel is moved, or another is shown in its place. */
function makeTerminal() {
  const element = document.createElement('div');
  element.className = 'terminal-place';
  const terminal = new Terminal({
    convertEol: true,
    fontSize: 13,
    fontFamily: 'ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
    scrollback: 5000,
    theme: themeNow(),
    screenReaderMode: false,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  // Escape leaves the console, which would keep the Tab key to itself.
  terminal.attachCustomKeyEventHandler((event) => !(event.key === 'Tab' || /^F\d+$/.test(event.key)));
  const encoder = new TextEncoder();
  terminal.onData((text) => send(encoder.encode(text)));
  const recolour = () => {
    terminal.options.theme = themeNow();
  };
  new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  matchMedia('(prefers-color-scheme: light)').addEventListener('change', recolour);
  return { element, terminal, fit };
}

let made: ReturnType<typeof makeTerminal> | undefined;
const one = () => {
  made ??= makeTerminal();
  return made;
};

outlets.console = (bytes) => new Promise((resolve) => one().terminal.write(bytes, resolve));
outlets.clear = () => made?.terminal.reset();

export function Console() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { element, terminal, fit } = one();
    place.current!.append(element);
    if (terminal.element === undefined) {
      terminal.open(element);
      terminal.textarea?.setAttribute('aria-label', 'The guest’s console');
    }
    const refit = () => {
      if (element.clientWidth > 0 && element.clientHeight > 0) fit.fit();
    };
    refit();
    const resized = new ResizeObserver(refit);
    resized.observe(element);
    return () => {
      resized.disconnect();
      element.remove();
    };
  }, []);
  return <div class="console" ref={place} />;
}
