/** Characters of code page 437 from 80h on. */
const UPPER =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

/** A character as a terminal takes it. A carriage return alone moves the cursor back, and so it stays. */
export function textOf(character: number): string {
  return character < 0x80 ? String.fromCharCode(character) : UPPER[character - 0x80]!;
}
