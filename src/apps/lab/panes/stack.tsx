/** The words on the stack, and the calls that led here. */
import * as state from '../state.js';
import { hex } from '../words.js';

export function Stack() {
  const look = state.look.value;
  if (look?.stack === undefined) return <p class="empty">No machine: press Run.</p>;
  const { pointer, size, words } = look.stack;
  const frames = look.frames ?? [];
  return (
    <div class="stack">
      {frames.length > 1 && (
        <ol class="frames" aria-label="Calls">
          {frames.map(({ pc, symbol, source, by }) => (
            <li key={String(pc)} title={`found by: ${by}`}>
              {symbol ?? `0x${hex(pc)}`}
              {source && <small>{` ${source.file}:${source.line}`}</small>}
            </li>
          ))}
        </ol>
      )}
      <table class="code">
        <caption class="hidden">Words on the stack</caption>
        <thead class="hidden">
          <tr>
            <th scope="col">Address</th>
            <th scope="col">Value</th>
            <th scope="col">Number</th>
          </tr>
        </thead>
        <tbody>
          {words.map((word, i) => (
            <tr key={String(i)} class={i === 0 ? 'here' : ''}>
              <td>{hex(pointer + BigInt(i * size), size === 2 ? 5 : 8)}</td>
              <td>{hex(word, size * 2)}</td>
              <td class="raw">{String(word)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {words.length === 0 && <p class="empty">Nothing is mapped where the stack pointer is.</p>}
    </div>
  );
}
