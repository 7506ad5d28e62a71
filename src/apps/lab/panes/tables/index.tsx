/** The CPU's tables as pictures: segments, GDT and LDT, IDT, TSS, page tables; the devices as text. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { CpuTables } from '../../../../browser/index.js';
import { query } from '../../controller.js';
import * as state from '../../state.js';
import { words } from '../../words.js';
import { Descriptors } from './descriptors.js';
import { Interrupts } from './interrupts.js';
import { Pages } from './pages.js';
import { Segments } from './segments.js';
import { TaskState } from './task-state.js';

const kinds = {
  segments: 'Segments',
  gdt: 'GDT',
  idt: 'IDT',
  tss: 'TSS',
  pages: 'Pages',
  devices: 'Devices',
} as const;
type Kind = keyof typeof kinds;

const chosen = signal<Kind>('segments');
const tables = signal<CpuTables | undefined>(undefined);
const devices = signal('');

export function Tables() {
  const look = state.look.value;
  const kind = chosen.value;
  useEffect(() => {
    if (look === undefined || kind === 'pages') return;
    let current = true;
    const said = (text: string) => {
      if (current) devices.value = text;
    };
    if (kind === 'devices')
      query('describe', 'devices').then(
        (text) => said(text ?? ''),
        (error: Error) => said(error.message),
      );
    else
      query('tables').then(
        (found) => {
          if (current) tables.value = found;
        },
        () => {},
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
      {look === undefined ? <p class="empty">{words.noMachine}</p> : <Chosen kind={kind} />}
    </div>
  );
}

function Chosen({ kind }: { kind: Kind }) {
  if (kind === 'devices')
    return (
      <pre tabIndex={0} aria-label="Devices">
        {devices.value}
      </pre>
    );
  if (kind === 'pages') return <Pages />;
  const found = tables.value;
  if (found === undefined) return null;
  if (kind === 'segments') return <Segments tables={found} />;
  if (kind === 'idt') return <Interrupts tables={found} />;
  if (kind === 'tss') return <TaskState task={found.task} mode={found.mode} />;
  return <Descriptors tables={found} />;
}
