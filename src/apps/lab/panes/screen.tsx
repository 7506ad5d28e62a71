/** The guest's screen: a canvas that takes the keyboard while it has the focus. */
import { useEffect, useRef } from 'preact/hooks';
import { key, outlets } from '../controller.js';
import * as state from '../state.js';
import { words } from '../words.js';

/** The key that leaves the screen, since the guest gets all others. */
const LEAVE = 'Escape';

export function Screen() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const held = new Set<string>();
    const picture = canvas.current!;
    const context = picture.getContext('2d')!;
    outlets.screen = ({ width, height, x, y, columns, rows, rgba }) => {
      if (picture.width !== width || picture.height !== height) {
        picture.width = width;
        picture.height = height;
      }
      context.putImageData(new ImageData(rgba, columns, rows), x, y);
    };
    const press = (event: KeyboardEvent) => {
      if (event.key === LEAVE && event.ctrlKey) return picture.blur();
      event.preventDefault();
      event.stopPropagation();
      if (event.repeat && held.has(event.code)) return key(event.code, true);
      held.add(event.code);
      key(event.code, true);
    };
    const release = (event: KeyboardEvent) => {
      event.preventDefault();
      held.delete(event.code);
      key(event.code, false);
    };
    const leave = () => {
      for (const name of held) key(name, false);
      held.clear();
    };
    picture.addEventListener('keydown', press);
    picture.addEventListener('keyup', release);
    picture.addEventListener('blur', leave);
    return () => {
      picture.removeEventListener('keydown', press);
      picture.removeEventListener('keyup', release);
      picture.removeEventListener('blur', leave);
    };
  }, []);
  const size = state.screenSize.value;
  return (
    <div class="screen">
      {size === undefined && <p class="empty">{words.emptyScreen}</p>}
      <canvas
        ref={canvas}
        tabIndex={0}
        width={640}
        height={400}
        hidden={size === undefined}
        role="img"
        aria-label={`The guest’s screen. It takes the keyboard; Ctrl+Escape leaves it. ${state.screenText.value}`}
      />
      {size && <p class="caption">{`${size.width} × ${size.height} · click to type · Ctrl+Esc leaves`}</p>}
    </div>
  );
}
