/** Memory as bytes; the changes of the last move are marked. */
import { lastWrite, refresh, report } from '../controller.js';
import * as state from '../state.js';
import { hex } from '../words.js';

const ROW = 8;

export function Memory() {
  const look = state.look.value;
  const memory = look?.memory;
  const old = state.memoryBefore.value;
  const go = (event: Event) => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem('address') as HTMLInputElement;
    state.memoryAt.value = field.value.trim() || '0';
    const space = (event.currentTarget as HTMLFormElement).elements.namedItem('space') as HTMLSelectElement;
    state.memorySpace.value = space.value === 'physical' ? 'physical' : 'linear';
    state.memoryBefore.value = undefined;
    void refresh().catch(report);
  };
  const rows = memory === undefined ? 0 : Math.ceil(memory.bytes.length / ROW);
  const width = memory !== undefined && memory.address + 512n > 0xffff_ffffn ? 16 : 8;
  return (
    <div class="memory">
      <form onSubmit={go}>
        <select
          name="space"
          aria-label="Kind of address"
          title="Linear: as the guest’s instructions see it. Physical: without paging."
          value={state.memorySpace.value}
          onChange={(event) => event.currentTarget.form?.requestSubmit()}
        >
          <option value="linear">linear</option>
          <option value="physical">physical</option>
        </select>
        <label>
          <input
            name="address"
            aria-label="Address"
            key={state.memoryAt.value}
            defaultValue={state.memoryAt.value}
            spellcheck={false}
            autocomplete="off"
            placeholder="0x7c00, message, es:di"
          />
        </label>
        <button type="submit">Show</button>
        <button
          type="button"
          title="Back to the instruction that wrote here last"
          disabled={look === undefined || state.memorySpace.value === 'physical'}
          onClick={() => void lastWrite(state.memoryAt.value)}
        >
          Who wrote?
        </button>
      </form>
      {memory?.problem !== undefined && <p class="empty">{memory.problem}</p>}
      {memory !== undefined && rows > 0 && (
        <table class="code bytes">
          <caption class="hidden">Memory</caption>
          <thead class="hidden">
            <tr>
              <th scope="col">Address</th>
              <th scope="col">Bytes</th>
              <th scope="col">Characters</th>
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: rows }, (_, row) => {
              const from = row * ROW;
              const part = [...memory.bytes.subarray(from, from + ROW)];
              const was = (i: number) =>
                old?.address === memory.address &&
                old.bytes[from + i] !== undefined &&
                old.bytes[from + i] !== part[i];
              return (
                <tr key={String(row)}>
                  <td>{hex(memory.address + BigInt(from), width)}</td>
                  <td>
                    {part.map((byte, i) => (
                      <span key={i} class={was(i) ? 'changed' : byte === 0 ? 'zero' : ''}>
                        {hex(byte, 2)}
                      </span>
                    ))}
                  </td>
                  <td class="text">
                    {part
                      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'))
                      .join('')}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </div>
  );
}
