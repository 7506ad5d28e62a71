/** The statements of a line: apart by `;`, comments after `#` taken out. */
export function* statements(line: string): Generator<{ text: string; at: number }> {
  let start = 0;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === '"') {
      for (at++; at < line.length && line[at] !== '"'; at++) if (line[at] === '\\') at++;
    } else if (character === "'") {
      // A character, which may be one of those that mean something here.
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
