/**
 * The filling of an alignment in code: instructions that do nothing, the same as GNU as uses, so that images are equal to the byte. For
 * many bytes: a jump over them.
 *
 * @module
 */

/** NOPs by their lengths from 1 on, and how many bytes are filled without a jump. */
interface Style {
  readonly forms: readonly string[];
  readonly most: number;
  /** The opcode of a near jump, with its prefix, and how wide its displacement is. */
  readonly near: string;
  readonly wide: number;
}

const styles: Readonly<Record<16 | 32 | 64, Style>> = {
  // NOP, XCHG AX,AX, LEA SI,[SI] with displacements of 8 and 16 bits.
  16: { forms: ['90', '6690', '8d7400', '8db40000'], most: 11, near: '66e9', wide: 4 },
  // The same with ESI, for every 32-bit processor.
  32: {
    forms: ['90', '6690', '8d7600', '8d742600', '8d74260090', '8db600000000', '8db42600000000'],
    most: 20,
    near: 'e9',
    wide: 4,
  },
  // SDM 2B NOP, with prefixes that change nothing.
  64: {
    forms: [
      '90',
      '6690',
      '0f1f00',
      '0f1f4000',
      '0f1f440000',
      '660f1f440000',
      '0f1f8000000000',
      '0f1f840000000000',
      '660f1f840000000000',
      '662e0f1f840000000000',
      '66662e0f1f840000000000',
    ],
    most: 87,
    near: 'e9',
    wide: 4,
  },
};

const fromHex = (text: string) => text.match(/../g)!.map((byte) => Number.parseInt(byte, 16));

/** A jump over the rest of `count` bytes. */
function jump(count: number, { near, wide }: Style): number[] {
  if (count - 2 < 128) return [0xeb, count - 2];
  const opcode = fromHex(near);
  const distance = count - opcode.length - wide;
  return [...opcode, ...Array.from({ length: wide }, (_, n) => (distance >> (8 * n)) & 0xff)];
}

/** This many bytes of instructions that do nothing, in code of a width. */
export function nops(count: number, bits: 16 | 32 | 64): Uint8Array {
  const style = styles[bits];
  const bytes = new Uint8Array(count);
  let at = 0;
  if (count > style.most) {
    const over = jump(count, style);
    bytes.set(over);
    at = over.length;
  }
  while (at < count) {
    const one = fromHex(style.forms[Math.min(count - at, style.forms.length) - 1]!);
    bytes.set(one, at);
    at += one.length;
  }
  return bytes;
}
