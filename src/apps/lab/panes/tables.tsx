/** The CPU's tables as text: GDT, IDT, paging, and the page walk of an address. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { describe } from '../controller.js';
import * as state from '../state.js';

const kinds = { gdt: 'GDT', idt: 'IDT', pages: 'Pages', tss: 'TSS', devices: 'Devices' } as const;
type Kind = keyof typeof kinds;

const chosen = signal<Kind>('gdt');
const text = signal('');

export function Tables() {
  const look = state.look.value;
  const kind = chosen.value;
  useEffect(() => {
    if (look === undefined || state.status.value === 'running') return;
    let current = true;
    describe(kind).then(
      (said) => {
        if (current) text.value = said;
      },
      (error) => {
        if (current) text.value = (error as Error).message;
      },
    );
    return () => {
      current = false;
    };
  }, [look, kind]);
  return (
    <div class="tables">
      <div class="choices" role="group" aria-label="Table">
        {Object.entries(kinds).map(([name, title]) => (
          <button
            type="button"
            key={name}
            aria-pressed={name === kind}
            onClick={() => {
              chosen.value = name as Kind;
            }}
          >
            {title}
          </button>
        ))}
      </div>
      <pre tabIndex={0} aria-label={kinds[kind]}>
        {look === undefined ? 'No machine.' : text.value}
      </pre>
    </div>
  );
}
