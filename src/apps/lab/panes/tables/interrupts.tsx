/** The IDT, or real mode's vectors: each gate with its handler. */
import type { CpuTables } from '../../../../browser/index.js';
import { refresh, report } from '../../controller.js';
import { openPanel } from '../../panels.js';
import { memoryAt, memorySpace } from '../../state.js';
import { exceptionNames, hex } from '../../words.js';
import { Bits, descriptorFields, Heading, Problems, Ring } from './parts.js';

type Gate = CpuTables['idt']['entries'][number];

export function Interrupts({ tables: { idt, handlers, mode } }: { tables: CpuTables }) {
  const { base, limit, entries, problems, empty, entryBytes } = idt;
  const names = new Map(handlers);
  return (
    <section class="drawn" aria-label="Interrupt table">
      <Heading title={mode === 'real' ? 'Interrupt vectors' : 'IDT'}>
        {`at ${hex(base, 8)}, limit ${hex(limit, 4)}, ${entryBytes} bytes each`}
      </Heading>
      <Problems list={problems} />
      <ul class="rows">
        {folded(entries).map(({ gate, last }) => (
          <Row
            key={gate.vector}
            gate={gate}
            last={last}
            handler={names.get(gate.vector)}
            long={mode === 'long'}
          />
        ))}
      </ul>
      {empty > 0 && (
        <p class="rest">
          {`${entries.length === 0 ? 'all' : 'the other'} ${empty} ${mode === 'real' ? 'vectors' : 'gates'} are empty`}
        </p>
      )}
    </section>
  );
}

/** Gates that are alike, one after another, are one row. */
function folded(gates: readonly Gate[]): { gate: Gate; last: number }[] {
  const rows: { gate: Gate; last: number }[] = [];
  for (const gate of gates) {
    const row = rows.at(-1);
    const alike = row?.gate.raw === gate.raw && row.gate.high === gate.high && row.last === gate.vector - 1;
    if (row !== undefined && alike) row.last = gate.vector;
    else rows.push({ gate, last: gate.vector });
  }
  return rows;
}

interface RowProps {
  gate: Gate;
  last: number;
  handler: string | undefined;
  long: boolean;
}

function Row({ gate, last, handler, long }: RowProps) {
  const { vector, selector, offset, type, dpl, ist, present, problems, raw, high, meaning } = gate;
  const isReal = type === undefined;
  const name = exceptionNames[vector];
  const digits = isReal ? 4 : long ? 16 : 8;
  const line = (
    <>
      <div class="line">
        <code class="vector">{last === vector ? vector : `${vector}–${last}`}</code>
        {name && last === vector && <b class="exception">{name}</b>}
        {!isReal && (
          <span class={`chip ${present ? 'gate' : 'reserved'}`}>{meaning.replace(/ → .*/, '')}</span>
        )}
        {!isReal && <Ring level={dpl} />}
        {ist > 0 && <span class="chip" title="This gate’s own stack, from the TSS">{`IST ${ist}`}</span>}
      </div>
      <small>
        {`→ ${hex(selector, 4)}:${hex(offset, digits)}`}
        {handler !== undefined && <b class="symbol">{` <${handler}>`}</b>}
      </small>
    </>
  );
  if (isReal)
    return (
      <li class="row">
        {line}
        <button type="button" class="plain more" onClick={() => showAt(BigInt(selector * 16) + offset)}>
          show its bytes
        </button>
      </li>
    );
  return (
    <li class="row">
      <details>
        <summary>{line}</summary>
        <Bits rows={descriptorFields(raw, long ? high : undefined, true)} />
        <button type="button" class="plain more" onClick={() => showAt(offset)}>
          show the handler’s bytes
        </button>
      </details>
      <Problems list={problems} />
    </li>
  );
}

function showAt(address: bigint): void {
  memoryAt.value = `0x${hex(address)}`;
  memorySpace.value = 'linear';
  openPanel('memory', true);
  void refresh().catch(report);
}
