/**
 * Checks of a guest's sources: whether they use the means that a task requires, and changed copies of them, which reveal a hard-coded
 * result.
 *
 * @module
 */

/** The replacement for each match of a regular expression. */
export interface SourceChange {
  from: string;
  to: string;
}

/** The texts with a change; undefined where nothing in them matches. */
export function changeSources(
  texts: readonly string[],
  { from, to }: SourceChange,
): readonly string[] | undefined {
  let changes = 0;
  const changed = texts.map((text) =>
    text.replace(new RegExp(from, 'gm'), () => {
      changes++;
      return to;
    }),
  );
  return changes === 0 ? undefined : changed;
}

/** The result of a change that has nothing to change. */
export const unchanged = ({ from }: SourceChange) => `nothing in the source matches ${from}`;

/** True where a regular expression matches in the texts outside their comments. */
export function sourcesMatch(texts: readonly string[], pattern: string): boolean {
  return new RegExp(pattern, 'm').test(texts.map(withoutComments).join('\n'));
}

/** In C, C++ and the assemblers' languages. */
const withoutComments = (text: string) =>
  text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|#(?!\s*(?:define|include)).*$/gm, ' ');
