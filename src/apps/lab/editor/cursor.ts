/** Where the cursor is, for shortcuts outside of the editor. */
let line = 1;

export const cursorLine = () => line;

export function setCursorLine(to: number): void {
  line = to;
}
