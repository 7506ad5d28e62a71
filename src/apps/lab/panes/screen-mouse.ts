/**
 * The mouse over the guest's screen. A PS/2 mouse reports steps: a click locks the pointer, so that it never reaches an edge. A tablet
 * reports places: the pointer stays free.
 *
 * @module
 */
import { mouse } from '../controller.js';
import * as state from '../state.js';

/** Units of a tablet along each side, and for a step: see pc/virtio.ts. */
const [TABLET, STEP] = [32767, 32];
/** Pixels of a page's wheel for a step of a mouse's. */
const WHEEL = 60;

/** The buttons of a PS/2 mouse are in the order of a page's: left, right, middle. */
const buttonsOf = (event: MouseEvent) => event.buttons & 7;

export function takeMouse(picture: HTMLCanvasElement): void {
  /** Where the tablet's pointer is; it begins in the middle. */
  let place = { x: TABLET / 2, y: TABLET / 2, moves: -1 };
  /** Parts of steps that were not sent yet. */
  let rest = { x: 0, y: 0 };

  const whole = (dx: number, dy: number) => {
    rest = { x: rest.x + dx, y: rest.y + dy };
    const steps = { x: Math.trunc(rest.x), y: Math.trunc(rest.y) };
    rest = { x: rest.x - steps.x, y: rest.y - steps.y };
    return steps;
  };

  const send = (event: MouseEvent, wheel = 0) => {
    const buttons = buttonsOf(event);
    const { left, top, width, height } = picture.getBoundingClientRect();
    if (state.guestMouse.value === 'tablet') {
      if (place.moves !== state.machines.value)
        place = { x: TABLET / 2, y: TABLET / 2, moves: state.machines.value };
      const wanted = {
        x: ((event.clientX - left) / width) * TABLET,
        y: ((event.clientY - top) / height) * TABLET,
      };
      const [dx, dy] = [Math.round((wanted.x - place.x) / STEP), Math.round((wanted.y - place.y) / STEP)];
      place = { ...place, x: place.x + dx * STEP, y: place.y + dy * STEP };
      mouse({ dx, dy, buttons, wheel });
    } else if (document.pointerLockElement === picture) {
      // Steps of the guest's own pixels.
      const { x: dx, y: dy } = whole(
        (event.movementX * picture.width) / width,
        (event.movementY * picture.height) / height,
      );
      mouse({ dx, dy, buttons, wheel });
    }
  };

  picture.addEventListener('mousedown', (event) => {
    if (state.guestMouse.value === 'none') return;
    if (state.guestMouse.value === 'mouse' && document.pointerLockElement !== picture) {
      // It may be refused; the guest has no mouse then, and the page works.
      void Promise.resolve(picture.requestPointerLock()).catch(() => {});
      return;
    }
    send(event);
  });
  for (const name of ['mouseup', 'mousemove'] as const)
    picture.addEventListener(name, (event) => send(event));
  picture.addEventListener('contextmenu', (event) => {
    if (state.guestMouse.value !== 'none') event.preventDefault();
  });
  picture.addEventListener(
    'wheel',
    (event) => {
      const isTaken = state.guestMouse.value === 'tablet' || document.pointerLockElement === picture;
      if (!isTaken) return;
      event.preventDefault();
      send(event, Math.sign(event.deltaY) * Math.max(1, Math.round(Math.abs(event.deltaY) / WHEEL)));
    },
    { passive: false },
  );
}
