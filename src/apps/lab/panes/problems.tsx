/** The errors in the source: a click goes to the line. */
import { reveal } from '../editor/editor.js';
import * as state from '../state.js';
import { words } from '../words.js';

export function Problems() {
  const list = state.complaints.value;
  if (list.length === 0) return <p class="empty">{words.emptyProblems}</p>;
  const go = (file: string, line: number) => {
    const index = state.files.value.findIndex(({ name }) => name === file);
    if (index < 0) return;
    state.shown.value = index;
    reveal.value = { line };
  };
  return (
    <ul class="problems">
      {list.map(({ origin, column, message, hint }) => (
        <li key={`${origin.file}:${origin.line}:${column}:${message}`}>
          <button type="button" class="plain" onClick={() => go(origin.file, origin.line)}>
            <code>{`${origin.file}:${origin.line}:${column}`}</code> {message}
            {hint !== undefined && <small>{hint}</small>}
          </button>
        </li>
      ))}
    </ul>
  );
}
