/** The CPU's tables as pictures: segments, GDT and LDT, IDT, TSS, page tables; the devices as text. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { CpuTables, DeviceDrawing } from '../../../../browser/index.js';
import { query } from '../../controller.js';
import * as state from '../../state.js';
import { words } from '../../words.js';
import { Descriptors } from './descriptors.js';
import { Interrupts } from './interrupts.js';
import { Pages } from './pages.js';
import { Rings } from './rings.js';
import { Segments } from './segments.js';
import { TaskState } from './task-state.js';

const kinds = {
  segments: 'Segments',
  gdt: 'GDT',
  idt: 'IDT',
  tss: 'TSS',
  pages: 'Pages',
  virtio: 'Virtio',
  devices: 'Devices',
} as const;
type Kind = keyof typeof kinds;

const chosen = signal<Kind>('segments');
const tables = signal<CpuTables | undefined>(undefined);
const devices = signal('');
const rings = signal<readonly DeviceDrawing[]>([]);

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
    else if (kind === 'virtio')
      query('rings').then(
        (found) => {
          if (current) rings.value = found ?? [];
        },
        () => {},
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
        {kindsHere().map(([name, title]) => (
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

/** Only a machine with virtio devices has their queues. */
function kindsHere(): [string, string][] {
  const hasVirtio = state.made.value?.devices.some((name) => name.startsWith('virtio')) ?? false;
  return Object.entries(kinds).filter(([name]) => name !== 'virtio' || hasVirtio || chosen.value === name);
}

function Chosen({ kind }: { kind: Kind }) {
  if (kind === 'devices')
    return (
      <pre tabIndex={0} aria-label="Devices">
        {devices.value}
      </pre>
    );
  if (kind === 'pages') return <Pages />;
  if (kind === 'virtio') return <Rings devices={rings.value} />;
  const found = tables.value;
  if (found === undefined) return null;
  if (kind === 'segments') return <Segments tables={found} />;
  if (kind === 'idt') return <Interrupts tables={found} />;
  if (kind === 'tss') return <TaskState task={found.task} mode={found.mode} />;
  return <Descriptors tables={found} />;
}
