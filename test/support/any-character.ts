/** Any character of Unicode, for fc.string's `unit`. fast-check's own `binary` lists all million of them first, which takes 1.7 s. */
import fc from 'fast-check';

/** Surrogate code points (the Unicode Standard, 3.8): no text has an unpaired one. */
const [HALVES, AFTER_HALVES] = [0xd800, 0xe000];

export const anyCharacter = fc
  .oneof(
    // Most characters are in planes that few programs know; half of the results should be common ones.
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0, max: HALVES - 1 }),
    fc.integer({ min: AFTER_HALVES, max: 0x10_ffff }),
  )
  .map((point) => String.fromCodePoint(point));
