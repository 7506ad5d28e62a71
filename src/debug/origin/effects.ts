/**
 * The locations that an instruction writes, and its inputs: with the registers before it.
 *
 * @module
 */
import type { Instruction, Operand } from '../../isa/index.js';
import type { CpuView } from '../registers.js';
import { isKnownRegister, type Place, placeOf, registerPlace, stackAt } from './places.js';

/** How a value reaches a location. */
export type Way =
  /** Copied from another location. */
  | 'copy'
  /** An immediate of the instruction. */
  | 'immediate'
  /** Made from other values. */
  | 'made'
  /** Read from a port. */
  | 'input'
  /** Only RIP: the guest continued after the instruction. */
  | 'next'
  /** The address of the instruction after a call. */
  | 'return'
  /** The processor's own value: CPUID, RDTSC, RDMSR, a pushed frame. */
  | 'processor';

export interface Effect {
  to: Place;
  way: Way;
  /** The sources, the most important first. */
  from: Place[];
  /** The port of an input. */
  port?: number;
}

/** Copies of vectors. */
const vectorMoves = /^v?(mov(aps|ups|apd|upd|dqa|dqu|q|d|ss|sd|lps|hps|lpd|hpd|nt\w+)|lddqu)$/;

/** The effects of an instruction; RIP's change only where it does not continue with the next one. */
export function effectsOf(instruction: Instruction, view: CpuView): Effect[] {
  const { encoding } = instruction;
  if (encoding === undefined) return [];
  return new Effects(instruction, view).list();
}

class Effects {
  readonly #it: Instruction;
  readonly #view: CpuView;
  readonly #code: 16 | 32 | 64;

  constructor(it: Instruction, view: CpuView) {
    this.#it = it;
    this.#view = view;
    this.#code = it.encoding!.code;
  }

  list(): Effect[] {
    const effects = this.#main();
    const { encoding } = this.#it;
    const { name } = encoding!.row;
    const counts = /^(movs|stos|lods|ins|outs|cmps|scas)$/.test(name) && encoding!.repeat !== 0;
    if (counts) effects.push(this.#made('rcx', ['rcx']));
    if (/^(movs|stos|ins|cmps|scas)$/.test(name)) effects.push(this.#made('rdi', ['rdi']));
    if (/^(movs|lods|outs|cmps)$/.test(name)) effects.push(this.#made('rsi', ['rsi']));
    if (/^(push|pop|call|ret|iret|enter|leave)/.test(this.#it.mnemonic))
      effects.push(this.#made('rsp', [name === 'leave' ? 'rbp' : 'rsp']));
    return effects;
  }

  #main(): Effect[] {
    const { mnemonic, operands, encoding } = this.#it;
    const { name, meaning } = encoding!.row;
    const [first, second] = operands;
    if (
      /^(mov|movzx|movsx|movsxd|movfrom|movto|movsegment|les|lds|lss|lfs|lgs)/.test(name) &&
      name !== 'movs'
    )
      return this.#move(first, second);
    if (vectorMoves.test(mnemonic)) return this.#move(first, second);
    if (name === 'movs' || name === 'lods' || name === 'stos') return this.#move(first, second);
    if (mnemonic.startsWith('cmov')) return this.#move(first, second);
    if (mnemonic === 'in' || mnemonic === 'ins') return this.#input(first, second);
    if (/^push[wdq]?$/.test(mnemonic)) return this.#push(first);
    if (/^pop[wdq]?$/.test(mnemonic)) return this.#pop(first);
    if (mnemonic === 'call') return [this.#frame(1, 'return'), ...this.#jump(first)];
    if (mnemonic === 'jmp') return this.#jump(first);
    if (first?.kind === 'target' && mnemonic.startsWith('j')) return this.#jump(first);
    if (/^(ret|iret)/.test(mnemonic)) return this.#returns();
    if (/^(int|into|int1|int3|syscall|sysenter)/.test(mnemonic)) return this.#event(mnemonic);
    if (mnemonic === 'leave') return [this.#copy(this.#register('rbp'), this.#frameAt('rbp'))];
    if (mnemonic === 'enter')
      return [this.#copy(this.#slot(-this.#word), this.#register('rbp')), this.#made('rbp', ['rsp'])];
    if (meaning.kind === 'swap' && name === 'xchg')
      return [...this.#move(first, second), ...this.#move(second, first)];
    if (name === 'lea') return this.#lea(first, second);
    if (isZeroing(this.#it)) return [{ to: this.#place(first)!, way: 'immediate', from: [] }];
    return this.#others();
  }

  /** The effects by the mnemonic's record. */
  #others(): Effect[] {
    const { mnemonic, operands, encoding } = this.#it;
    const { name, meaning } = encoding!.row;
    const places = operands.map((one) => this.#place(one, sizeOf(operands[0])));
    const known = places.filter((place) => place !== undefined);
    const [to] = places;
    if (
      /^(cpuid|rdtsc|rdtscp|rdmsr|rdpmc|rdrand|rdseed|xgetbv|str|sldt|smsw|sgdt|sidt|lahf)$/.test(mnemonic)
    ) {
      const given = to === undefined ? ['rax', 'rbx', 'rcx', 'rdx'] : [];
      const wanted = mnemonic === 'cpuid' ? given : given.filter((one) => one === 'rax' || one === 'rdx');
      const all = to === undefined ? wanted.map((one) => this.#register(one)) : [to];
      return all.map((place) => ({ to: place, way: 'processor', from: [] }));
    }
    if (/^(mul|imul1|div|idiv)$/.test(name)) {
      const of = [
        this.#register('rax'),
        ...(name === 'mul' || name === 'imul1' ? [] : [this.#register('rdx')]),
        ...known,
      ];
      return ['rax', 'rdx'].map((one) => ({ to: this.#register(one), way: 'made', from: of }));
    }
    if (name === 'cbw') return [this.#made('rax', ['rax'])];
    if (name === 'cwd') return [this.#made('rdx', ['rax'])];
    if (/^(loop|jcxz|jecxz)/.test(mnemonic))
      return mnemonic.startsWith('loop') ? [this.#made('rcx', ['rcx'])] : [];
    if (/^cmpxchg/.test(name))
      return [
        ...(to === undefined ? [] : [{ to, way: 'made' as const, from: known }]),
        { to: this.#register('rax'), way: 'made', from: known },
      ];
    if (/^(aa[asdm]|da[as]|xlat)$/.test(name))
      return [this.#made('rax', ['rax', ...(name === 'xlat' ? ['rbx'] : [])])];
    const silent = meaning.kind === 'read' || meaning.kind === 'compare' || meaning.kind === 'branch';
    if (
      to === undefined ||
      silent ||
      (/^(cmp|test|bt|out|outs|nop|prefetch)/.test(name) &&
        name !== 'bts' &&
        name !== 'btr' &&
        name !== 'btc')
    )
      return [];
    const from = meaning.kind === 'write' ? known.slice(1) : known;
    const effects: Effect[] = [
      { to, way: from.length === 0 && meaning.kind === 'write' ? 'processor' : 'made', from },
    ];
    if (meaning.kind === 'swap' && known[1]) effects.push(this.#copy(known[1], known[0]!));
    return effects;
  }

  #move(to: Operand | undefined, from: Operand | undefined): Effect[] {
    const size = Math.max(sizeOf(to), sizeOf(from));
    const place = this.#place(to, sizeOf(from) || size);
    if (place === undefined) return [];
    const source = this.#place(from, Math.min(sizeOf(to) || size, size));
    return [source === undefined ? { to: place, way: 'immediate', from: [] } : this.#copy(place, source)];
  }

  #input(to: Operand | undefined, from: Operand | undefined): Effect[] {
    const place = this.#place(to);
    if (place === undefined) return [];
    const port = from?.kind === 'immediate' ? Number(from.value) : Number(this.#view.registers.rdx & 0xffffn);
    return [{ to: place, way: 'input', from: [], port }];
  }

  #push(from: Operand | undefined): Effect[] {
    const source = this.#place(from, this.#word);
    const to = this.#slot(-this.#word);
    return [
      source === undefined
        ? { to, way: 'immediate', from: [] }
        : this.#copy(to, { ...source, size: Math.min(source.size, this.#word) }),
    ];
  }

  #pop(to: Operand | undefined): Effect[] {
    const place = this.#place(to, this.#word);
    return place === undefined ? [] : [this.#copy(place, this.#slot(0))];
  }

  #jump(to: Operand | undefined): Effect[] {
    const place = this.#place(to, this.#word);
    return [
      place === undefined
        ? { to: this.#register('rip'), way: 'immediate', from: [] }
        : this.#copy(this.#register('rip'), place),
    ];
  }

  #returns(): Effect[] {
    const far = this.#it.mnemonic.startsWith('iret') || this.#it.encoding!.row.name === 'retfar';
    const rip = this.#copy(this.#register('rip'), this.#slot(0));
    return far ? [rip, this.#copy(registerPlace('cs', 2), { ...this.#slot(this.#word), size: 2 })] : [rip];
  }

  #event(mnemonic: string): Effect[] {
    if (mnemonic === 'syscall')
      return [
        { to: this.#register('rcx'), way: 'return', from: [] },
        { to: this.#register('r11'), way: 'processor', from: [] },
      ];
    return mnemonic === 'sysenter' ? [] : [this.#frame(this.#code === 64 ? 5 : 3, 'processor')];
  }

  #lea(to: Operand | undefined, from: Operand | undefined): Effect[] {
    const place = this.#place(to);
    if (place === undefined || from?.kind !== 'memory') return [];
    const { base, index } = from;
    const of = [base, index].filter((one) => one !== undefined && isKnownRegister(one) && !/ip$/.test(one));
    return [
      { to: place, way: of.length === 0 ? 'immediate' : 'made', from: of.map((one) => registerPlace(one!)) },
    ];
  }

  /** The words that are pushed, all at once. */
  #frame(count: number, way: Way): Effect {
    const { address } = this.#slot(-count * this.#word);
    return { to: { kind: 'memory', address, size: count * this.#word }, way, from: [] };
  }

  /** The value that LEAVE pops: at the frame pointer. */
  #frameAt(name: string): Place {
    const by = this.#view.registers[name as 'rbp'] - this.#view.registers.rsp;
    return { kind: 'memory', address: stackAt(this.#view, Number(BigInt.asIntN(53, by))), size: this.#word };
  }

  #slot(by: number): Place & { kind: 'memory' } {
    return { kind: 'memory', address: stackAt(this.#view, by), size: this.#word };
  }

  /** The size of the pushed value in bytes. */
  get #word(): number {
    const { operandSize, operandPrefix } = this.#it.encoding!;
    if (this.#code === 64) return operandPrefix ? 2 : 8;
    return operandSize / 8;
  }

  #place(operand: Operand | undefined, size?: number): Place | undefined {
    return placeOf(operand, this.#view, this.#code, size);
  }

  #register(name: string): Place {
    return registerPlace(name);
  }

  #copy(to: Place, from: Place): Effect {
    return { to, way: 'copy', from: [from] };
  }

  #made(to: string, from: string[]): Effect {
    return { to: this.#register(to), way: 'made', from: from.map((name) => this.#register(name)) };
  }
}

/** XOR and SUB of a register with itself. */
function isZeroing({ encoding, operands: [one, other] }: Instruction): boolean {
  return (
    /^(xor|sub|pxor|xorps)$/.test(encoding!.row.name) &&
    one?.kind === 'register' &&
    other?.kind === 'register' &&
    one.name === other.name
  );
}

function sizeOf(operand: Operand | undefined): number {
  return operand?.kind === 'register' || operand?.kind === 'memory' || operand?.kind === 'immediate'
    ? operand.size
    : 0;
}
