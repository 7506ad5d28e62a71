/** The TSS as a stack of fields. */
import type { CpuTables } from '../../../../browser/index.js';
import { hex } from '../../words.js';
import { Heading, Problems } from './parts.js';

export function TaskState({ task, mode }: { task: CpuTables['task']; mode: CpuTables['mode'] }) {
  if (mode === 'real')
    return <p class="empty">Real mode has no task state segment: an interrupt stays on the current stack.</p>;
  const { selector, base, limit, kind, fields, problems } = task;
  return (
    <section class="drawn" aria-label="Task state segment">
      <Heading title={fields.length > 0 ? `TSS, ${kind}` : 'TSS'}>
        {`selector ${hex(selector, 4)}${fields.length > 0 ? `, at ${hex(base, 8)}, limit ${hex(limit, 4)}` : ''}`}
      </Heading>
      <Problems list={problems} />
      {fields.length > 0 && (
        <table class="fields">
          <caption class="hidden">Fields of the TSS</caption>
          <thead class="hidden">
            <tr>
              <th scope="col">Offset</th>
              <th scope="col">Field</th>
              <th scope="col">Value</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ name, offset, value, meaning }) => (
              <tr key={name} class={value === 0n ? 'zero' : ''}>
                <td>{`+${offset}`}</td>
                <th scope="row">{name}</th>
                <td>{hex(value, kind === '64-bit' ? 16 : 8)}</td>
                <td>{meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
