/**
 * The editor's variables view: registers with their bits, segments, tables, the stack, the guest's variables.
 *
 * @module
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import {
  type Shown as CValue,
  DebugError,
  type Debugger,
  type State,
  segmentBase,
  stackPointer,
} from '../../debug/index.js';
import { segmentMeaning } from '../../inspect/index.js';
import { namedBits } from '../../x86/index.js';
import type { Item } from './item.js';
import type { Guest } from './launch.js';
import { tables } from './tables.js';
import { hex } from './values.js';

interface Shown {
  items: readonly Item[];
}

/** The tree for one stop of the guest; its references become invalid when the guest continues. */
export class Variables {
  readonly #guest: Guest;
  readonly #debug: Debugger;
  readonly #makers = new Map<number, () => Item[] | Promise<Item[]>>();
  readonly #shown = new Map<number, Shown>();
  #next = 1;

  constructor(guest: Guest, debug: Debugger) {
    this.#guest = guest;
    this.#debug = debug;
  }

  /** @param frame the place in the stack of the function whose variables are shown */
  async scopes(frame = 0): Promise<DebugProtocol.Scope[]> {
    const state = await this.#debug.state();
    const { machine, symbols } = this.#guest;
    const scope = (name: string, make: () => Item[] | Promise<Item[]>, expensive = false) => ({
      name,
      variablesReference: this.#reference(make),
      expensive,
    });
    const { parameters, variables } = await this.#functionOf(frame);
    const globals = symbols.symbols.some(({ kind }) => kind === 'variable');
    return [
      ...(variables.length > 0
        ? [{ ...scope('Locals', () => variables), presentationHint: 'locals' as const }]
        : []),
      ...(parameters.length > 0
        ? [{ ...scope('Arguments', () => parameters), presentationHint: 'arguments' as const }]
        : []),
      { ...scope('Registers', () => registers(state)), presentationHint: 'registers' },
      scope('Flags', () => flags()),
      ...(globals
        ? [{ ...scope('Globals', () => this.#globals()), presentationHint: 'globals' as const }]
        : []),
      scope('Stack', () => stack(state)),
      scope('Segments', () => segments(state)),
      scope('Control registers', () => control(this.#debug, state)),
      scope(
        'System tables',
        () => tables({ system: state.view.system, memory: machine.memory }, state),
        true,
      ),
      ...(state.view.fpu === undefined ? [] : [scope('x87 and SSE', () => fpu(), true)]),
    ];
  }

  async children(reference: number, start = 0, count = 0): Promise<DebugProtocol.Variable[]> {
    const make = this.#makers.get(reference);
    if (make === undefined) throw new DebugError('these values belong to an earlier stop');
    const items = await make();
    this.#shown.set(reference, { items });
    const wanted = items.slice(start, count > 0 ? start + count : undefined);
    const variables: DebugProtocol.Variable[] = [];
    for (const item of wanted) variables.push(await this.#variable(item));
    return variables;
  }

  async set(reference: number, name: string, text: string): Promise<string> {
    const item = await this.item(reference, name);
    if (item.set !== undefined) {
      await item.set(text);
      this.#debug.changed();
      return text;
    }
    if (item.expression === undefined) throw new DebugError(`${name} cannot be set`);
    return (await this.#debug.set(item.expression, text)).text;
  }

  /** The line with that name. @throws DebugError where there is none */
  async item(reference: number, name: string): Promise<Item> {
    if (!this.#shown.has(reference)) await this.children(reference);
    const found = this.#shown.get(reference)?.items.find((item) => item.name === name);
    if (found === undefined) throw new DebugError(`there is no ${name} in this list`);
    return found;
  }

  /** The parts of a value of C; 0 where it has none. */
  referenceTo(value: CValue): number {
    const { children } = itemOf(value, false);
    return children === undefined ? 0 : this.#reference(children);
  }

  /** Only variables of the current function can be set: a caller's registers are not the CPU's. */
  async #functionOf(frame: number): Promise<{ parameters: Item[]; variables: Item[] }> {
    const shown = await this.#debug.locals(frame);
    const items = (parameters: boolean) =>
      shown.filter((one) => (one.parameter ?? false) === parameters).map((one) => itemOf(one, frame === 0));
    return { parameters: items(true), variables: items(false) };
  }

  #reference(make: () => Item[] | Promise<Item[]>): number {
    const reference = this.#next++;
    this.#makers.set(reference, make);
    return reference;
  }

  async #variable({ name, value, expression, type, memoryReference, children, set }: Item) {
    const variable: DebugProtocol.Variable = {
      name,
      value: value ?? '',
      variablesReference: children === undefined ? 0 : this.#reference(children),
      ...(type !== undefined && { type }),
      ...(memoryReference !== undefined && { memoryReference }),
    };
    if (expression === undefined) {
      if (set === undefined) variable.presentationHint = { attributes: ['readOnly'] };
      return variable;
    }
    variable.evaluateName = expression;
    if (value !== undefined) return variable;
    try {
      const found = await this.#debug.evaluate(expression);
      variable.value = found.text;
      if (found.place?.kind === 'memory') variable.memoryReference ??= hex(found.place.address);
      else if (found.value > 0n) variable.memoryReference ??= hex(found.value);
    } catch (error) {
      variable.value = (error as Error).message;
      variable.presentationHint = { attributes: ['readOnly'] };
    }
    return variable;
  }

  #globals(): Item[] {
    return this.#guest.symbols.symbols
      .filter(({ kind }) => kind === 'variable')
      .slice(0, MAX_GLOBALS)
      .map(({ name, address, size }) =>
        [1n, 2n, 4n, 8n].includes(size)
          ? { name, expression: name, type: `${size} bytes at ${hex(address)}` }
          : { name, value: `${size} bytes at ${hex(address)}`, memoryReference: hex(address) },
      );
  }
}

/** @param named its expression means this value: names are those of the current function */
function itemOf({ name, text, type, expression, address, children }: CValue, named: boolean): Item {
  return {
    name: name === '' ? '(without a name)' : name,
    value: text,
    type,
    ...(named && { expression }),
    ...(address !== undefined && { memoryReference: hex(address) }),
    ...(children && { children: async () => (await children()).map((one) => itemOf(one, named)) }),
  };
}

const MAX_GLOBALS = 1000;
const STACK_WORDS = 32;

const letters = ['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp'];

/** The general registers, as wide as the code, each with its parts. */
function registers({ bits, view, pc }: State): Item[] {
  const prefix = { 16: '', 32: 'e', 64: 'r' }[bits];
  const whole = letters.map(
    (name): Item => ({
      name: `${prefix}${name}`,
      expression: `$${prefix}${name}`,
      children: () => parts(name, bits),
    }),
  );
  const more = bits === 64 ? Array.from({ length: 8 }, (_, i): Item => numbered(i + 8)) : [];
  const stackTop = hex(stackPointer(view));
  return [
    ...whole.map((item) => (item.name.endsWith('sp') ? { ...item, memoryReference: stackTop } : item)),
    ...more,
    { name: `${prefix}ip`, expression: `$${prefix}ip`, memoryReference: hex(pc), type: `linear ${hex(pc)}` },
    { name: `${prefix}flags`, expression: `$${prefix}flags`, children: flags },
  ];
}

function parts(name: string, bits: number): Item[] {
  const half = name.endsWith('x') ? [`${name[0]}h`, `${name[0]}l`] : bits === 64 ? [`${name}l`] : [];
  // 16-bit code has the upper half as well, and uses it with a prefix.
  const wider = { 16: [`e${name}`], 32: [name], 64: [`e${name}`, name] }[bits]!;
  return [...wider, ...half].map((part) => ({ name: part, expression: `$${part}` }));
}

function numbered(n: number): Item {
  const part = (suffix: string) => ({ name: `r${n}${suffix}`, expression: `$r${n}${suffix}` });
  return { ...part(''), children: () => [part('d'), part('w'), part('b')] };
}

const flagMeanings: Readonly<Record<string, string>> = {
  CF: 'carry',
  PF: 'parity of the low byte',
  AF: 'carry out of bit 3',
  ZF: 'zero',
  SF: 'sign',
  TF: 'single step',
  IF: 'interrupts are taken',
  DF: 'string instructions go downwards',
  OF: 'overflow of signed numbers',
};

function flags(): Item[] {
  const known = Object.entries(flagMeanings).map(
    ([name, type]): Item => ({
      name,
      expression: `$${name.toLowerCase()}`,
      type,
    }),
  );
  return [...known, { name: 'IOPL', expression: '$iopl', type: 'the highest ring that may do I/O and CLI' }];
}

function stack({ bits, view }: State): Item[] {
  const [size, word, pointer] = (
    { 16: [2, 'word', 'sp'], 32: [4, 'dword', 'esp'], 64: [8, 'qword', 'rsp'] } as const
  )[bits];
  const base = segmentBase(view.system, 'ss');
  return Array.from({ length: STACK_WORDS }, (_, i): Item => {
    const offset = i === 0 ? '' : `+${hex(i * size)}`;
    return {
      name: `[${pointer}${offset}]`,
      expression: base === 0n ? `${word} [${pointer}${offset}]` : `${word} [ss:${pointer}${offset}]`,
    };
  });
}

function segments({ view }: State): Item[] {
  return (['cs', 'ss', 'ds', 'es', 'fs', 'gs', 'tr', 'ldt'] as const).map((name) => {
    const segment = view.system[name];
    return {
      name,
      value: `${hex(segment.selector)}  base ${hex(segment.base)}, limit ${hex(segment.limit)}, ${segmentMeaning(segment)}`,
      expression: `$${name}`,
      children: (): Item[] => [
        { name: 'selector', expression: `$${name}` },
        { name: 'base', value: hex(segment.base), memoryReference: hex(segment.base) },
        { name: 'limit', value: hex(segment.limit) },
        { name: 'type', value: segmentMeaning(segment) },
        { name: 'DPL', value: String(segment.dpl) },
        { name: 'present', value: segment.present ? '1' : '0' },
      ],
    };
  });
}

function control(debug: Debugger, { view }: State): Item[] {
  const { system } = view;
  const made = (name: 'cr0' | 'cr3' | 'cr4' | 'efer'): Item => {
    const names = namedBits[name].filter(([bit]) => (system[name] >> BigInt(bit)) & 1n).map(([, bit]) => bit);
    return {
      name,
      value: `${hex(system[name])}${names.length > 0 ? ` (${names.join(' ')})` : ''}`,
      expression: `$${name}`,
      children: () => bitsOf(debug, name, system[name]),
    };
  };
  const plain = (name: 'cr2' | 'cr8'): Item => ({ name, expression: `$${name}` });
  return [made('cr0'), plain('cr2'), made('cr3'), made('cr4'), plain('cr8'), made('efer')];
}

function bitsOf(debug: Debugger, register: 'cr0' | 'cr3' | 'cr4' | 'efer', value: bigint): Item[] {
  return namedBits[register].map(([bit, name]) => {
    const mask = 1n << BigInt(bit);
    return {
      name,
      value: value & mask ? '1' : '0',
      type: `bit ${bit} of ${register}`,
      set: async (text) => {
        const wanted = (await debug.evaluate(text)).value;
        if (wanted !== 0n && wanted !== 1n) throw new DebugError(`${text} is not a bit`, 'give 0 or 1');
        await debug.target.setRegister(register, wanted === 1n ? value | mask : value & ~mask);
      },
    };
  });
}

function fpu(): Item[] {
  const range = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`);
  return [...range('st', 8), 'fctrl', 'fstat', 'ftag', ...range('xmm', 16), 'mxcsr'].map((name) => ({
    name,
    expression: `$${name}`,
  }));
}
