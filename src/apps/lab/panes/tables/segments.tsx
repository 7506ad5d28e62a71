/** The segment registers: what each selector has loaded. */
import type { CpuTables } from '../../../../browser/index.js';
import { hex } from '../../words.js';
import { Bar, Ring } from './parts.js';

const MIB = 1n << 20n;

export function Segments({ tables: { segments, mode } }: { tables: CpuTables }) {
  const usual = segments.filter(({ register }) => !/tr/.test(register));
  const end = usual.reduce((most, { base, limit, unusable }) => {
    const last = base + BigInt(limit) + 1n;
    return !unusable && last > most ? last : most;
  }, MIB);
  return (
    <div class="drawn">
      <p class="lead">
        {mode === 'real'
          ? 'Real mode: the base is the selector × 16. No table is read.'
          : mode === 'long'
            ? 'Long mode: CS, DS, ES and SS begin at 0 and have no limit in 64-bit code; FS and GS have a base.'
            : 'Protected mode: a selector names an entry of GDT or LDT, which was read when it was loaded.'}
      </p>
      <ul class="rows">
        {segments.map(({ register, selector, base, limit, dpl, unusable, meaning, differs }) => (
          <li key={register} class={unusable ? 'row off' : 'row'}>
            <div class="line">
              <b class="holder">{register.toUpperCase()}</b>
              <code>{hex(selector, 4)}</code>
              {mode !== 'real' && <SelectorParts selector={selector} />}
              {!unusable && <Ring level={dpl} />}
            </div>
            {unusable ? (
              <small>null: using it is a fault</small>
            ) : (
              <>
                <small>{`${hex(base, 8)} – ${hex(base + BigInt(limit), 8)} · ${meaning.replace(/ dpl \d/, '')}`}</small>
                <Bar from={base} length={BigInt(limit) + 1n} end={end > base ? end : base + 1n} />
              </>
            )}
            {differs && (
              <small class="differs">
                The table’s entry has changed since it was loaded: the CPU still uses the values here.
              </small>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Index, table and RPL of a selector (SDM 3A figure 3-6). */
function SelectorParts({ selector }: { selector: number }) {
  if ((selector & 0xfffc) === 0) return <span class="parts">null</span>;
  return (
    <span class="parts" title="index · table · requested privilege level">
      {`${selector & 4 ? 'LDT' : 'GDT'}[${selector >> 3}] · RPL ${selector & 3}`}
    </span>
  );
}
