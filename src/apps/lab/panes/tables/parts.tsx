/** What several tables are drawn with. */
import type { ComponentChildren } from 'preact';
import { hex } from '../../words.js';

export function Heading({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <h3 class="table-head">
      {title} <small>{children}</small>
    </h3>
  );
}

export function Problems({ list }: { list: readonly string[] }) {
  if (list.length === 0) return null;
  return (
    <ul class="faults">
      {list.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

/** The privilege level as a badge: 0 is the kernel's. */
export function Ring({ level, title = 'DPL' }: { level: number; title?: string }) {
  return <span class={`chip ring${level}`} title={`${title} ${level}`}>{`ring ${level}`}</span>;
}

/** Where a range lies between 0 and the end of what the table covers. */
export function Bar({ from, length, end }: { from: bigint; length: bigint; end: bigint }) {
  const part = (value: bigint) => Number((value * 10_000n) / end) / 100;
  const left = Math.min(99, part(from));
  const width = Math.max(1, Math.min(100 - left, part(length)));
  return (
    <span class="bar-line" aria-hidden="true">
      <i style={`left: ${left}%; width: ${width}%`} />
    </span>
  );
}

/** A field of bits, from the highest on. */
export interface Field {
  readonly name: string;
  readonly bits: number;
  readonly value: bigint;
  readonly title?: string;
}

/** Bits as boxes, 32 in a row, the highest first, as in the SDM's figures. */
export function Bits({ rows }: { rows: readonly (readonly Field[])[] }) {
  return (
    <div class="bits" role="img" aria-label={rows.flat().map(fieldText).join(', ')}>
      {rows.map((fields, row) => (
        <div key={String(row)} class="bit-row">
          {fields.map((field, i) => (
            <span
              key={String(i)}
              class={field.value === 0n ? 'zero' : ''}
              style={`grid-column: span ${field.bits}`}
              title={field.title ?? fieldText(field)}
            >
              <b>{valueText(field)}</b>
              <small>{field.name}</small>
            </span>
          ))}
        </div>
      ))}
    </div>
  );
}

const valueText = ({ bits, value }: Field) =>
  bits <= 4 ? value.toString(2).padStart(bits, '0') : hex(value, Math.ceil(bits / 4));
const fieldText = (field: Field) => `${field.name} ${valueText(field)}`;

const cut = (raw: bigint, from: number, bits: number) => (raw >> BigInt(from)) & ((1n << BigInt(bits)) - 1n);

/** The fields of a segment descriptor (SDM 3A figure 3-8), or of a gate (figures 6-2, 6-8). */
export function descriptorFields(raw: bigint, high: bigint | undefined, isGate: boolean): Field[][] {
  const take = (name: string, from: number, bits: number, title?: string): Field => ({
    ...{ name, bits, value: cut(raw, from, bits) },
    ...(title !== undefined && { title }),
  });
  const access = [
    take('P', 47, 1, 'P: present'),
    take('DPL', 45, 2, 'DPL: the ring that may use it'),
    take('S', 44, 1, 'S: 1 for code and data, 0 for system descriptors and gates'),
    take('type', 40, 4),
  ];
  const rows = isGate
    ? [
        [
          take('offset 31–16', 48, 16),
          ...access,
          take('', 37, 3),
          take(high === undefined ? 'params' : 'IST', 32, 5),
        ],
        [take('selector', 16, 16), take('offset 15–0', 0, 16)],
      ]
    : [
        [
          take('base 31–24', 56, 8),
          take('G', 55, 1, 'G: the limit counts pages of 4 KiB'),
          take('D', 54, 1, 'D/B: 32-bit code or stack'),
          take('L', 53, 1, 'L: 64-bit code'),
          take('A', 52, 1, 'AVL: free for the operating system'),
          take('limit', 48, 4, 'limit 19–16'),
          ...access,
          take('base 23–16', 32, 8),
        ],
        [take('base 15–0', 16, 16), take('limit 15–0', 0, 16)],
      ];
  if (high === undefined) return rows;
  return [[{ name: isGate ? 'offset 63–32' : 'base 63–32', bits: 32, value: cut(high, 0, 32) }], ...rows];
}
