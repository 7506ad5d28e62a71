import type { Picture } from '../../../devices/contract/index.js';
import { type Cells, cellsOf, plainCellsOf } from '../../frontend/screen/cells.js';
import type { Canvas } from '../text.js';

/** Draws the VGA's picture: text as text, cut to the pane; graphics as half blocks. */
export function drawScreen(
  canvas: Canvas,
  picture: Picture,
  place: { x: number; y: number; width: number; height: number },
  coloured: boolean,
  scrolled: { down: number; right: number },
): void {
  const { text } = picture;
  const make = coloured ? cellsOf : plainCellsOf;
  const cells =
    text === undefined
      ? make(picture, place.width, place.height)
      : make(picture, Math.max(place.width, text.columns), Math.max(place.height, text.rows));
  const top = Math.min(scrolled.down, Math.max(0, cells.rows - place.height));
  const left = Math.min(scrolled.right, Math.max(0, cells.columns - place.width));
  for (let y = 0; y < Math.min(place.height, cells.rows); y++) {
    for (let x = 0; x < Math.min(place.width, cells.columns); x++) {
      copyCell(canvas, cells, (top + y) * cells.columns + left + x, place.x + x, place.y + y);
    }
  }
}

function copyCell(canvas: Canvas, cells: Cells, i: number, x: number, y: number): void {
  canvas.cell(x, y, cells.characters[i]!, { ink: cells.ink[i]!, paper: cells.paper[i]! });
}
