/** A call of the BIOS through the trap port: found, served, and described in words for a trace. */
import type { GuestMemory } from '../../memory/index.js';
import type { AccessWords } from '../contract/index.js';
import { Frame } from './frame.js';
import { linear } from './guest.js';
import { Habits } from './habits.js';
import type { BiosFunction, Pc } from './pc.js';
import { SERVICE_UNSERVED, serviceOf } from './services/index.js';
import { hex } from './words.js';

const VECTORS = 256;

export class Calls {
  /** A description was requested: the next call provides it. */
  #listening = false;
  #call = { name: 'BIOS call', says: '' };
  readonly #unserved: (vector: number) => void;
  readonly #only: readonly number[] | undefined;
  readonly habits = new Habits();

  /**
   * @param unserved called for each call of an interrupt without a handler @param only the available services; default:
   * all
   */
  constructor(unserved: (vector: number) => void, only?: readonly number[]) {
    this.#unserved = unserved;
    this.#only = only;
  }

  /** @param value written to the trap port: the frame's address, SS in the upper half and SP in the lower */
  serve(memory: GuestMemory, value: number, pc: Pc): void {
    const frame = Frame.at(memory, linear(value >>> 16, value & 0xffff));
    if (frame === undefined) return;
    frame.goOn();
    const listening = this.#listening;
    this.#listening = false;
    const number = frame.service;
    const service = this.#only?.includes(number) === false ? undefined : serviceOf(number);
    if (service === undefined) {
      if (number >= SERVICE_UNSERVED && number < SERVICE_UNSERVED + VECTORS)
        this.#unserved(number - SERVICE_UNSERVED);
      if (listening) this.#call = { name: `int ${hex(number & 0xff)}`, says: 'nothing serves it' };
      return;
    }
    const fn = service.functions[service.number?.(frame) ?? frame.ah];
    const says = listening ? wordsOf(fn, frame, pc) : '';
    const asked = { ax: frame.ax, dx: frame.dx };
    if (fn === undefined) service.unknown?.(frame, pc);
    else fn.run(frame, pc);
    this.habits.note(number, asked, frame, pc, () => words(fn, asked, frame, pc));
    if (listening) this.#call = { name: service.name, says: `${says}${resultOf(fn, frame, pc)}` };
  }

  /** Always the call that follows: it has been served when its description is requested. */
  describe(): AccessWords {
    this.#listening = true;
    this.#call = { name: 'BIOS call', says: '' };
    const call = () => this.#call;
    return {
      get register() {
        return call().name;
      },
      says: () => call().says,
      isCall: true,
    };
  }
}

/** The request in words, although the frame already has the answer: AX and DX name it. */
function words(
  fn: BiosFunction | undefined,
  asked: { ax: number; dx: number },
  frame: Frame,
  pc: Pc,
): string {
  const result = resultOf(fn, frame, pc).trim();
  const { ax, dx } = frame;
  Object.assign(frame, asked);
  const said = wordsOf(fn, frame, pc);
  Object.assign(frame, { ax, dx });
  return `${said}: ${result}`;
}

function wordsOf(fn: BiosFunction | undefined, frame: Frame, pc: Pc): string {
  if (fn === undefined) return `AX=${hex(frame.ax, 4)}: there is no such function`;
  return typeof fn.says === 'string' ? fn.says : fn.says(frame, pc);
}

function resultOf(fn: BiosFunction | undefined, frame: Frame, pc: Pc): string {
  const text =
    fn === undefined ? '' : fn.gives === undefined ? (frame.carry ? 'failed' : 'ok') : fn.gives(frame, pc);
  return text === '' ? '' : `   ${text}`;
}
