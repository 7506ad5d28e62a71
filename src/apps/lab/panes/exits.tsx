/** The exits, a line for each: a click goes to the moment right after it. */
import { signal } from '@preact/signals';
import { goToExit, report, showExits } from '../controller.js';
import * as state from '../state.js';
import { hex, shortCount, words } from '../words.js';

const filter = signal('');
const PAGE = 400;

export function Exits() {
  const total = state.timeline.value?.total ?? 0;
  const first = state.timeline.value?.first ?? 1;
  if (total === 0) return <p class="empty">{words.emptyExits}</p>;
  const now = state.look.value?.exits ?? 0;
  const from = state.exitsFrom.value;
  const wanted = filter.value.toLowerCase();
  const rows = state.exits.value.filter(
    (row) =>
      wanted === '' ||
      `${row.kind} ${row.device} ${row.words} ${hex(row.address)}`.toLowerCase().includes(wanted),
  );
  const show = (to: number) => void showExits(Math.max(first, Math.min(to, total))).catch(report);
  return (
    <div class="exits">
      <div class="exit-bar">
        <label>
          Filter{' '}
          <input
            value={filter.value}
            spellcheck={false}
            placeholder="serial, io, 3f8 …"
            onInput={(event) => {
              filter.value = event.currentTarget.value;
            }}
          />
        </label>
        <button type="button" disabled={from <= first} onClick={() => show(from - PAGE)}>
          Earlier
        </button>
        <button type="button" disabled={from + PAGE > total} onClick={() => show(from + PAGE)}>
          Later
        </button>
        <small>{`${shortCount(from)} to ${shortCount(Math.min(total, from + PAGE - 1))} of ${shortCount(total)}`}</small>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="List of exits">
        <table class="code">
          <caption class="hidden">Exits: choose one to go to it</caption>
          <thead>
            <tr>
              <th scope="col">exit</th>
              <th scope="col">instr</th>
              <th scope="col">reason</th>
              <th scope="col">address</th>
              <th scope="col">data</th>
              <th scope="col">device</th>
              <th scope="col">register</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.number} class={row.number === now ? 'here' : row.number > now ? 'future' : ''}>
                <td>
                  <button
                    type="button"
                    class="plain"
                    title={`Go to exit ${row.number}`}
                    onClick={() => void goToExit(row.number)}
                  >
                    {row.number}
                  </button>
                </td>
                <td>{row.instructions}</td>
                <td>{row.size === 0 ? row.kind : `${row.kind} ${row.write ? 'write' : 'read'}`}</td>
                <td>{row.size === 0 ? '' : hex(row.address, row.kind === 'io' ? 4 : 8)}</td>
                <td>{row.size === 0 ? '' : dataText(row)}</td>
                <td>{row.device}</td>
                <td class="raw">{row.words}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function dataText({ data, size, count }: { data: bigint; size: number; count: number }): string {
  const letter = size === 1 && data >= 0x20n && data < 0x7fn ? ` '${String.fromCharCode(Number(data))}'` : '';
  return `${hex(data, size * 2)}${letter}${count > 1 ? ` ×${count}` : ''}`;
}
