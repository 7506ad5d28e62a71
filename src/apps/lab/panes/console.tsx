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

export function Console() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
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
    terminal.open(place.current!);
    terminal.textarea?.setAttribute('aria-label', 'The guest’s console');
    // Escape leaves the console, which would keep the Tab key to itself.
    terminal.attachCustomKeyEventHandler((event) => !(event.key === 'Tab' || /^F\d+$/.test(event.key)));
    const encoder = new TextEncoder();
    const typed = terminal.onData((text) => send(encoder.encode(text)));
    outlets.console = (bytes) => new Promise((resolve) => terminal.write(bytes, resolve));
    outlets.clear = () => terminal.reset();
    const resized = new ResizeObserver(() => {
      if (place.current!.clientWidth > 0) fit.fit();
    });
    resized.observe(place.current!);
    const recolour = () => {
      terminal.options.theme = themeNow();
    };
    const themes = new MutationObserver(recolour);
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const scheme = matchMedia('(prefers-color-scheme: light)');
    scheme.addEventListener('change', recolour);
    return () => {
      typed.dispose();
      resized.disconnect();
      themes.disconnect();
      scheme.removeEventListener('change', recolour);
      terminal.dispose();
    };
  }, []);
  return <div class="console" ref={place} />;
}
