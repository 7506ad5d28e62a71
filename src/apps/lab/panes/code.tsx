/** The instructions around the next one. */
import * as state from '../state.js';
import { hex, words } from '../words.js';

export function Code() {
  const look = state.look.value;
  const rows = look?.code ?? [];
  if (look === undefined) return <p class="empty">{words.noMachine}</p>;
  if (rows.length === 0) return <p class="empty">No code is mapped here.</p>;
  return (
    <table class="code">
      <caption class="hidden">Instructions around the next one</caption>
      <thead class="hidden">
        <tr>
          <th scope="col">Address</th>
          <th scope="col">Bytes</th>
          <th scope="col">Instruction</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ address, bytes, text, label }) => (
          <>
            {label !== undefined && (
              <tr key={`l${address}`} class="label">
                <td colSpan={3}>{`${label}:`}</td>
              </tr>
            )}
            <tr
              key={String(address)}
              class={address === look.pc ? 'here' : ''}
              aria-current={address === look.pc ? 'step' : undefined}
            >
              <td>{hex(address, look.bits === 16 ? 5 : 8)}</td>
              <td class="raw">
                {[...bytes]
                  .slice(0, 8)
                  .map((byte) => hex(byte, 2))
                  .join(' ')}
              </td>
              <td>{text}</td>
            </tr>
          </>
        ))}
      </tbody>
    </table>
  );
}
