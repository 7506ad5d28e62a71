/** GDT and LDT: each entry with its place in memory, its bits, and the registers that hold its selector. */
import type { CpuTables, DescriptorTableView } from '../../../../browser/index.js';
import { hex } from '../../words.js';
import { Bar, Bits, descriptorFields, Heading, Problems, Ring } from './parts.js';

type Entry = DescriptorTableView['entries'][number];

export function Descriptors({ tables }: { tables: CpuTables }) {
  const { mode, gdt, ldt, segments } = tables;
  const holders = (selector: number, local: boolean) =>
    segments
      .filter((one) => !one.unusable && (one.selector & 0xfff8) === selector && one.selector > 3)
      .filter((one) => ((one.selector & 4) !== 0) === local)
      .map(({ register }) => register.toUpperCase());
  if (mode === 'real')
    return (
      <div class="drawn">
        <p class="lead">
          {gdt.base === 0n && gdt.limit === 0xffff
            ? 'Real mode, and LGDT has not run: there is no GDT yet.'
            : `Real mode: the CPU reads no GDT. LGDT has loaded one at ${hex(gdt.base, 8)}; with CR0.PE it will be read.`}
        </p>
        {!(gdt.base === 0n && gdt.limit === 0xffff) && <Table table={gdt} holders={() => []} />}
      </div>
    );
  return (
    <div class="drawn">
      <Table table={gdt} holders={(selector) => holders(selector, false)} />
      {ldt.limit > 0 && <Table table={ldt} holders={(selector) => holders(selector, true)} />}
    </div>
  );
}

interface TableProps {
  table: CpuTables['gdt'];
  holders(selector: number): readonly string[];
}

function Table({ table, holders }: TableProps) {
  const { name, base, limit, entries, problems, empty } = table;
  const end = entries.reduce((most, { kind, segment }) => {
    const last = segment.base + BigInt(segment.limit) + 1n;
    return kind !== 'gate' && kind !== 'null' && last > most ? last : most;
  }, 1n << 20n);
  return (
    <section aria-label={name}>
      <Heading title={name}>{`at ${hex(base, 8)}, limit ${hex(limit, 4)}`}</Heading>
      <Problems list={problems} />
      <ul class="rows">
        {entries.map((entry) => (
          <Row
            key={entry.selector}
            entry={entry}
            end={end}
            local={name === 'LDT'}
            holders={holders(entry.selector)}
          />
        ))}
      </ul>
      {empty > 0 && <p class="rest">{`${empty} more ${empty === 1 ? 'entry is' : 'entries are'} 0`}</p>}
    </section>
  );
}

interface RowProps {
  entry: Entry;
  end: bigint;
  local: boolean;
  holders: readonly string[];
}

function Row({ entry, end, local, holders }: RowProps) {
  const { selector, raw, kind, segment, meaning, problems, size } = entry;
  const number = hex(selector | (local ? 4 : 0), 4);
  if (kind === 'null')
    return (
      <li class="row off">
        <div class="line">
          <code>{number}</code>
          <small>null descriptor</small>
        </div>
      </li>
    );
  const [type, ...more] = meaning.split(', ');
  return (
    <li class={holders.length > 0 ? 'row held' : 'row'}>
      <details>
        <summary>
          <div class="line">
            <code>{number}</code>
            <span class={`chip ${kind}`}>{type}</span>
            <Ring level={segment.dpl} />
            {holders.map((name) => (
              <b key={name} class="holder" title={`${name} holds this selector`}>
                {name}
              </b>
            ))}
          </div>
          <small>
            {kind === 'gate'
              ? more.join(', ')
              : [`${hex(segment.base, 8)} – ${hex(segment.base + BigInt(segment.limit), 8)}`, ...more].join(
                  ' · ',
                )}
          </small>
          {kind !== 'gate' && <Bar from={segment.base} length={BigInt(segment.limit) + 1n} end={end} />}
        </summary>
        <Bits rows={descriptorFields(raw, size === 16 ? segment.base >> 32n : undefined, kind === 'gate')} />
      </details>
      <Problems list={problems} />
    </li>
  );
}
