/** The sizes of the panes: moved with the mouse or the arrow keys, and remembered. */
import { signal } from '@preact/signals';
import { isNumbers, recall, remember } from './storage.js';

const bounds = {
  side: { least: 240, most: 700, usual: 396, axis: 'x', sign: -1 },
  page: { least: 220, most: 640, usual: 340, axis: 'x', sign: 1 },
  below: { least: 90, most: 560, usual: 200, axis: 'y', sign: -1 },
} as const;
type Part = keyof typeof bounds;

const STEP = 16;

const kept = recall('sizes', isNumbers) ?? {};
export const sizes = signal<Readonly<Record<Part, number>>>({
  side: within('side', kept.side ?? bounds.side.usual),
  page: within('page', kept.page ?? bounds.page.usual),
  below: within('below', kept.below ?? bounds.below.usual),
});

function within(part: Part, size: number): number {
  const { least, most } = bounds[part];
  return Math.min(most, Math.max(least, Math.round(size)));
}

/** All sizes as they are usually. */
export function resetSizes(): void {
  sizes.value = { side: bounds.side.usual, page: bounds.page.usual, below: bounds.below.usual };
  remember('sizes', sizes.value);
}

function resize(part: Part, size: number): void {
  sizes.value = { ...sizes.value, [part]: within(part, size) };
  remember('sizes', sizes.value);
}

export function Splitter({ of, label }: { of: Part; label: string }) {
  const { axis, sign, least, most } = bounds[of];
  const down = (event: PointerEvent) => {
    const from = axis === 'x' ? event.clientX : event.clientY;
    const size = sizes.value[of];
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent) =>
      resize(of, size + sign * ((axis === 'x' ? moved.clientX : moved.clientY) - from));
    const up = () => {
      handle.removeEventListener('pointermove', move);
      handle.removeEventListener('pointerup', up);
    };
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', up);
    event.preventDefault();
  };
  const press = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    resize(of, sizes.value[of] + by * sign * STEP);
  };
  return (
    <div
      class={`splitter ${axis}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={axis === 'x' ? 'vertical' : 'horizontal'}
      aria-valuemin={least}
      aria-valuemax={most}
      aria-valuenow={sizes.value[of]}
      onPointerDown={down}
      onKeyDown={press}
      onDblClick={() => resize(of, bounds[of].usual)}
    />
  );
}
