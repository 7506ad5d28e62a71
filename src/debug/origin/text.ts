/**
 * The origin of a value as text: a line for each instruction, indented where values were made from several.
 *
 * @module
 */
import type { Origin } from './origin.js';

/** @param now the present moment */
export function originText(origin: Origin, now: number): string {
  const lines = [`${origin.what} is ${valueText(origin)} at instruction ${count(now)}`];
  tell(origin, '  ', lines);
  return lines.join('\n');
}

function tell(origin: Origin, indent: string, lines: string[]): void {
  lines.push(`${indent}${sentence(origin)}`);
  const { from, way } = origin;
  const [only] = from;
  // The source of a copy is in the next line.
  if (way === 'copy' && from.length === 1 && only !== undefined) {
    tell(only, indent, lines);
    return;
  }
  for (const one of from) {
    lines.push(`${indent}${one.what} = ${valueText(one)}:`);
    tell(one, `${indent}  `, lines);
  }
}

function sentence(origin: Origin): string {
  const { way, at, from } = origin;
  const of = from.map(({ what }) => what).join(' and ');
  const part = origin.part === undefined ? '' : `, ${origin.part} of its ${origin.size} bytes`;
  switch (way) {
    case 'copy':
      return `${step(origin)} copied it from ${of}${part}`;
    case 'immediate':
      return `${step(origin)} has the value in it${part}`;
    case 'made':
      return `${step(origin)} made it${of === '' ? '' : ` of ${of}`}${part}`;
    case 'input':
      return `${step(origin)} read it from port ${hex(BigInt(origin.port!))}${deviceText(origin)}`;
    case 'return':
      return `${step(origin)} put the address of the next instruction there`;
    case 'processor':
      return `${step(origin)} got it from the processor`;
    case 'image':
      return `the image has it there${origin.symbol === undefined ? '' : `, in ${origin.symbol}`}; nothing wrote it`;
    case 'start':
      return `it is so since the start; nothing wrote it`;
    case 'older':
      return `it is older than the history, which begins at instruction ${count(at)}`;
    case 'device':
      return `no memory is there: ${origin.device === undefined ? 'a device' : `the device ${origin.device}`} answered`;
    case 'outside':
      return `${step(origin)} did not write it: a device or the monitor did meanwhile`;
    case 'event':
      return `${step(origin)} came before: then the processor wrote it, as it delivered an interrupt or an exception`;
    case 'next':
      return `${step(origin)} came before, and the guest went on after it`;
    case 'unfollowed':
      return `not followed further back than instruction ${count(at)}`;
  }
}

function step({ at, pc, symbol, instruction = '' }: Origin): string {
  const where = symbol ?? (pc === undefined ? '' : hex(pc));
  return `${count(at)}  ${where}  ${instruction}`.trimEnd().concat('  —');
}

function deviceText({ device, input }: Origin): string {
  if (device === undefined) return ', where no device is';
  if (input === undefined) return `, the device ${device}`;
  const text =
    typeof input === 'number' && input >= 0x20 && input < 0x7f
      ? `${hex(BigInt(input))} ('${String.fromCharCode(input)}')`
      : (JSON.stringify(input, (_, value) => (typeof value === 'bigint' ? `${value}` : value)) ?? '').slice(
          0,
          60,
        );
  return `, the device ${device}, which took in ${text} from outside last`;
}

function valueText({ value }: Origin): string {
  if (value === undefined) return 'not in memory';
  return value < 10n ? `${value}` : `${hex(value)} (${value})`;
}

const hex = (value: bigint) => `0x${value.toString(16)}`;
const count = (value: number) => value.toLocaleString('en');
