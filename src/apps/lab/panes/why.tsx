/** Why the guest died. */
import * as state from '../state.js';
import { words } from '../words.js';

export function Why() {
  const why = state.why.value;
  if (why === undefined) return <p class="empty">{words.emptyWhy}</p>;
  return (
    <pre class="why" tabIndex={0} aria-label="Why the guest died">
      {why.text}
    </pre>
  );
}
