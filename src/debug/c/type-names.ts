/**
 * Types in C's syntax: `struct node *`, `int (*)[4]`, `void (*)(int)`.
 *
 * @module
 */
import type { CType } from '../../symbols/index.js';

const DEEPEST = 64;
const qualified = /^(const|volatile|restrict|_Atomic)\b/;

/** @param inner the middle of a declaration, such as a variable's name */
export function typeName(type: CType, inner = '', depth = 0): string {
  if (depth > DEEPEST) return '…';
  const deeper = (one: CType, middle: string) => typeName(one, middle, depth + 1);
  switch (type.kind) {
    case 'void':
      return joined('void', inner);
    case 'base':
      return joined(type.name ?? 'int', inner);
    case 'typedef':
      return joined(type.name ?? '…', inner);
    case 'structure':
      return joined(`${type.word} ${type.name ?? '{...}'}`, inner);
    case 'enumeration':
      return joined(`enum ${type.name ?? '{...}'}`, inner);
    case 'array':
      return deeper(type.of, `${inner}[${type.count ?? ''}]`);
    case 'function':
      return deeper(type.returns, `${inner}(${parametersOf(type, depth)})`);
    case 'qualified': {
      const { of, word } = type;
      if (of.kind === 'pointer') return deeper(of, joined(word, inner));
      return of.kind === 'array' || of.kind === 'function'
        ? deeper(of, inner)
        : `${word} ${deeper(of, inner)}`;
    }
    case 'pointer': {
      const { to, sign } = type;
      const star = `${sign}${qualified.test(inner) ? ' ' : ''}${inner}`;
      const binds = to.kind === 'array' || to.kind === 'function';
      return deeper(to, binds ? `(${star})` : star);
    }
  }
}

function parametersOf(type: CType & { kind: 'function' }, depth: number): string {
  const { parameters, variable, prototyped } = type;
  if (parameters.length === 0) return variable || !prototyped ? '' : 'void';
  const names = parameters.map((one) => typeName(one, '', depth + 1));
  return [...names, ...(variable ? ['...'] : [])].join(', ');
}

const joined = (word: string, inner: string) => (inner === '' ? word : `${word} ${inner}`);

/** A type with its members, as `ptype` shows it. */
export function describeType(type: CType, indent = ''): string {
  let whole = type;
  // The type itself, instead of its name.
  for (let depth = 0; whole.kind === 'typedef' && depth < DEEPEST; depth++) whole = whole.of;
  return declaration(whole, '', indent);
}

/** Only the type itself is written in full, and members without their own name. */
function declaration(type: CType, inner: string, indent: string, depth = 0): string {
  if (depth > DEEPEST) return '…';
  switch (type.kind) {
    case 'structure':
      return joined(structureText(type, indent, depth), inner);
    case 'enumeration':
      return joined(enumerationText(type), inner);
    case 'pointer':
    case 'array':
    case 'qualified': {
      const core = coreOf(type);
      if (core.kind !== 'structure' && core.kind !== 'enumeration') return typeName(unaliased(type), inner);
      const name = typeName(core);
      return typeName(unaliased(type), inner).replace(name, declaration(core, '', indent, depth + 1));
    }
    default:
      return typeName(type, inner);
  }
}

/** The type at the end of pointers and arrays. */
function coreOf(type: CType): CType {
  let core = type;
  for (let depth = 0; depth < DEEPEST; depth++) {
    if (core.kind === 'pointer') core = core.to;
    else if (core.kind === 'array' || core.kind === 'qualified' || core.kind === 'typedef') core = core.of;
    else break;
  }
  return core;
}

/** The same without names for types. */
function unaliased(type: CType, depth = 0): CType {
  if (depth > DEEPEST) return type;
  if (type.kind === 'typedef') return unaliased(type.of, depth + 1);
  if (type.kind === 'pointer') return { ...type, to: unaliased(type.to, depth + 1) };
  if (type.kind === 'array' || type.kind === 'qualified')
    return { ...type, of: unaliased(type.of, depth + 1) };
  return type;
}

function structureText(type: CType & { kind: 'structure' }, indent: string, depth: number): string {
  const name = type.name === undefined ? type.word : `${type.word} ${type.name}`;
  if (type.declared) return `${name} {\n${indent}    <incomplete type>\n${indent}}`;
  const members = type.members.map(({ name: member, type: of, bits }) => {
    const plain = of.kind === 'structure' && of.name === undefined;
    const middle = `${member ?? ''}${bits === undefined ? '' : ` : ${bits.size}`}`;
    const text = plain ? declaration(of, middle, `${indent}    `, depth + 1) : typeName(of, middle);
    return `${indent}    ${text};\n`;
  });
  return `${name} {\n${members.join('')}${indent}}`;
}

function enumerationText({ name, values }: CType & { kind: 'enumeration' }): string {
  let next = 0n;
  const texts = values.map(({ name: one, value }) => {
    const text = value === next ? one : `${one} = ${value}`;
    next = value + 1n;
    return text;
  });
  return `enum ${name === undefined ? '' : `${name} `}{${texts.join(', ')}}`;
}
