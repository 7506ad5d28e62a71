/** The guest's screen: a canvas that takes the keyboard while it has the focus, and the mouse for guests that use one. */
import { useEffect, useRef } from 'preact/hooks';
import { key, outlets } from '../controller.js';
import * as state from '../state.js';
import { words } from '../words.js';
import { takeMouse } from './screen-mouse.js';

/** The key that leaves the screen, since the guest gets all others. */
const LEAVE = 'Escape';

/** The one canvas: it keeps its picture while the panel is moved, or another is shown in its place. */
function makeCanvas(): HTMLCanvasElement {
  const picture = document.createElement('canvas');
  picture.tabIndex = 0;
  picture.width = 640;
  picture.height = 400;
  picture.setAttribute('role', 'img');
  const context = picture.getContext('2d')!;
  outlets.screen = ({ width, height, x, y, columns, rows, rgba }) => {
    if (picture.width !== width || picture.height !== height) {
      picture.width = width;
      picture.height = height;
    }
    context.putImageData(new ImageData(rgba, columns, rows), x, y);
  };
  const held = new Set<string>();
  picture.addEventListener('keydown', (event) => {
    if (event.key === LEAVE && event.ctrlKey) return picture.blur();
    event.preventDefault();
    event.stopPropagation();
    held.add(event.code);
    key(event.code, true);
  });
  picture.addEventListener('keyup', (event) => {
    event.preventDefault();
    held.delete(event.code);
    key(event.code, false);
  });
  picture.addEventListener('blur', () => {
    for (const name of held) key(name, false);
    held.clear();
    if (document.pointerLockElement === picture) document.exitPointerLock();
  });
  takeMouse(picture);
  return picture;
}

const picture = makeCanvas();

export function Screen() {
  const place = useRef<HTMLDivElement>(null);
  const size = state.screenSize.value;
  useEffect(() => {
    place.current!.prepend(picture);
    state.screenIsNew.value = false;
    return () => picture.remove();
  }, []);
  useEffect(() => {
    picture.hidden = size === undefined;
    picture.setAttribute(
      'aria-label',
      `The guest’s screen. It takes the keyboard; Ctrl+Escape leaves it. ${state.screenText.value}`,
    );
  }, [size, state.screenText.value]);
  const mouse = {
    none: '',
    mouse: ' · a click gives it the mouse',
    tablet: ' · it follows the mouse',
  }[state.guestMouse.value];
  return (
    <div class="screen" ref={place}>
      {size === undefined && <p class="empty">{words.emptyScreen}</p>}
      {size && (
        <p class="caption">{`${size.width} × ${size.height} · click to type${mouse} · Ctrl+Esc leaves`}</p>
      )}
    </div>
  );
}
