/** The registers, with those marked that the last move changed. */
import * as state from '../state.js';
import { hex } from '../words.js';

const general = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp'];
const numbered = ['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const segments = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'];
const flags = ['CF', 'PF', 'AF', 'ZF', 'SF', 'TF', 'IF', 'DF', 'OF'];
const flagBits: Readonly<Record<string, number>> = {
  CF: 0,
  PF: 2,
  AF: 4,
  ZF: 6,
  SF: 7,
  TF: 8,
  IF: 9,
  DF: 10,
  OF: 11,
};
const flagNames: Readonly<Record<string, string>> = {
  ...{ CF: 'carry', PF: 'parity', AF: 'adjust', ZF: 'zero', SF: 'sign' },
  ...{ TF: 'trap', IF: 'interrupts', DF: 'direction', OF: 'overflow' },
};

function Value({ name, shown = name, digits }: { name: string; shown?: string; digits: number }) {
  const value = state.look.value?.registers[name];
  if (value === undefined) return null;
  const old = state.before.value[name];
  const changed = old !== undefined && old !== value;
  const cut = BigInt.asUintN(digits * 4, value);
  const title = `${shown} = ${cut}${changed ? `, was ${BigInt.asUintN(digits * 4, old)}` : ''}`;
  return (
    <div class={changed ? 'register changed' : 'register'} title={title} data-register={name}>
      <dt>{shown}</dt>
      <dd>{hex(cut, digits)}</dd>
    </div>
  );
}

export function Registers() {
  const look = state.look.value;
  if (look === undefined)
    return (
      <section class="registers" aria-label="Registers">
        <h2>Registers</h2>
        <p class="empty">Press Run or Step.</p>
      </section>
    );
  const { bits, mode, registers, symbol, pc } = look;
  const wide = bits === 64;
  const digits = wide ? 16 : 8;
  const name = (register: string) => (wide ? register : register.replace(/^r/, 'e'));
  const rflags = registers.rflags ?? 0n;
  const old = state.before.value.rflags ?? rflags;
  return (
    <section class="registers" aria-label="Registers">
      <h2>
        Registers <span class="mode">{`${mode}, ${bits}-bit code`}</span>
      </h2>
      <dl class={wide ? 'grid wide' : 'grid'}>
        {general.map((register) => (
          <Value key={register} name={register} shown={name(register)} digits={digits} />
        ))}
        {wide && numbered.map((register) => <Value key={register} name={register} digits={digits} />)}
        <Value name="rip" shown={bits === 16 ? 'ip' : name('rip')} digits={bits === 16 ? 4 : digits} />
      </dl>
      <p class="here" title={`linear address 0x${hex(pc)}`}>
        {symbol ? `<${symbol}>` : `0x${hex(pc)}`}
      </p>
      <ul class="flags" aria-label="Flags">
        {flags.map((flag) => {
          const bit = BigInt(flagBits[flag]!);
          const on = ((rflags >> bit) & 1n) === 1n;
          const changed = ((old >> bit) & 1n) !== ((rflags >> bit) & 1n);
          return (
            <li
              key={flag}
              class={`${on ? 'on' : 'off'}${changed ? ' changed' : ''}`}
              title={`${flagNames[flag]}: ${on ? 1 : 0}`}
            >
              {flag}
              <span class="hidden">{on ? ' 1' : ' 0'}</span>
            </li>
          );
        })}
      </ul>
      <dl class="grid small">
        {segments.map((register) => (
          <Value key={register} name={register} digits={4} />
        ))}
        {bits !== 16 || (registers.cr0 ?? 0n) & 1n ? (
          <>
            <Value name="cr0" digits={8} />
            <Value name="cr2" digits={8} />
            <Value name="cr3" digits={8} />
          </>
        ) : null}
      </dl>
    </section>
  );
}
