/** Numbers and addresses in the notation of traces and messages. */

/** A number as BIOS manuals write it: `13h`. */
export const hex = (value: number, digits = 2) => `${value.toString(16).padStart(digits, '0')}h`;
/** `0000:7c00`. */
export const far = (segment: number, offset: number) =>
  `${segment.toString(16).padStart(4, '0')}:${offset.toString(16).padStart(4, '0')}`;

/** A name by a number, or the number. */
export function named(table: Readonly<Record<number, string>>, value: number): string {
  return table[value] ?? hex(value);
}
