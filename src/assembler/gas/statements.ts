/** The statements of a line: separated by `;`, without comments after `#`. */
export function* statements(line: string): Generator<{ text: string; at: number }> {
  let start = 0;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === '"') {
      for (at++; at < line.length && line[at] !== '"'; at++) if (line[at] === '\\') at++;
    } else if (character === "'") {
      // A character literal, which may be one of the separators.
      at += line[at + 1] === '\\' ? 2 : 1;
    } else if (character === ';') {
      yield { text: line.slice(start, at), at: start };
      start = at + 1;
    } else if (character === '#') {
      yield { text: line.slice(start, at), at: start };
      return;
    }
  }
  yield { text: line.slice(start), at: start };
}
