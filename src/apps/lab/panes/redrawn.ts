/**
 * Canvases that are drawn by hand, and so again after a change of their size or of the page's colours.
 *
 * @module
 */
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** Draws now and after each such change. @param inputs what the drawing shows: a change of one of them draws again */
export function useRedrawn(
  canvas: RefObject<HTMLCanvasElement | null>,
  draw: ((picture: HTMLCanvasElement) => void) | undefined,
  inputs: readonly unknown[],
): void {
  useEffect(() => {
    const picture = canvas.current;
    if (picture === null || draw === undefined) return;
    const redraw = () => draw(picture);
    redraw();
    const resized = new ResizeObserver(redraw);
    resized.observe(picture);
    const themes = new MutationObserver(redraw);
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      resized.disconnect();
      themes.disconnect();
    };
  }, inputs);
}
