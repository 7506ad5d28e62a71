/**
 * gdb's remote protocol over a debug session: bytes in, bytes out. It does not use sockets.
 *
 * @module
 */
import type { SymbolTable } from '../../symbols/index.js';
import { errorText } from '../errors.js';
import type { Space } from '../memory.js';
import type { CodeBits } from '../mode.js';
import { type CpuView, registerOf } from '../registers.js';
import { progressText } from '../seeks.js';
import type { Stop } from '../stop.js';
import type { DebugTarget } from '../target.js';
import { type Description, descriptions, type GdbRegister } from './description.js';
import { type MonitorSettings, modeText, monitor } from './monitor.js';
import {
  fromHex,
  fromLittleEndian,
  hexText,
  littleEndian,
  PACKET_SIZE,
  PacketReader,
  packet,
  type Received,
  rangeOf,
  toHex,
} from './packets.js';
import { GdbPoints } from './points.js';
import { replyTo, threadOf } from './stop-reply.js';

/** The calls from the stub to the owner of its connection. */
export interface StubEvents {
  /** Takes packets to gdb; resolves when there is room for more. */
  send(text: string): Promise<void>;
  /** gdb detaches: the guest should run without a debugger. */
  detached(): void;
  /** The guest has ended for gdb: it was killed, or gdb was told of its end. */
  over(): void;
}

/** How many packets may wait while one is handled: gdb sends one at a time. */
const MAX_WAITING = 64;
/** Text of `monitor` in one packet. */
const TEXT_SIZE = 1024;

const OK = 'OK';
const STOPPED = 'T05thread:1;';
const wrong = (message: string) => `E.${message}`;

/** One connection of gdb to a stopped guest. */
export class GdbStub {
  readonly #target: DebugTarget;
  readonly #events: StubEvents;
  readonly #reader = new PacketReader();
  readonly #settings: MonitorSettings;
  readonly #points: GdbPoints;
  #description: Description = descriptions[32];
  /** The width of code that gdb assumes; undefined for a peer that has not asked for a description. */
  #announced: CodeBits | undefined;
  #acknowledges = true;
  #last = '';
  #lastStop = STOPPED;
  /** `target extended-remote`: gdb stays when the guest has ended, and may restart it. */
  #extended = false;
  #dead = false;
  #running = false;
  /** A `monitor` command is carried out, which may be a long search. */
  #asked = false;
  #closed = false;
  #waiting: string[] = [];
  #busy: Promise<void> | undefined;

  /** @param symbols the names that `monitor` commands know */
  constructor(target: DebugTarget, events: StubEvents, symbols?: () => SymbolTable) {
    this.#target = target;
    this.#settings = {
      ...{ physical: false, described: 32, symbols },
      report: (done, all) => void (done === 0 || this.#reply(`O${hexText(progressText(done, all))}`)),
    };
    this.#points = new GdbPoints(target);
    this.#events = events;
  }

  /** Takes bytes from gdb, as latin1 text. False where the peer cannot be a gdb: end the connection. */
  receive(bytes: string): boolean {
    for (const received of this.#reader.push(bytes)) if (!this.#take(received)) return false;
    return true;
  }

  /** The connection has ended unexpectedly: stops the run and removes the breakpoints. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting = [];
    if (this.#running || this.#asked) await this.#target.interrupt();
    await this.#busy;
    if (this.#dead) this.#events.over();
    else await this.#target.clear();
  }

  #take(received: Received): boolean {
    switch (received.kind) {
      case 'interrupt':
        // Where nothing runs it came too late, and gdb already has its answer.
        if (this.#running || this.#asked) void this.#target.interrupt();
        return true;
      case 'again':
        if (this.#acknowledges && this.#last !== '') void this.#events.send(this.#last);
        return true;
      case 'foreign':
        return false;
      case 'overlong':
        return this.#queue('!');
      case 'packet':
        if (this.#acknowledges) {
          void this.#events.send(received.intact ? '+' : '-');
          if (!received.intact) return true;
        }
        return this.#queue(received.data);
    }
  }

  #queue(data: string): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(data);
    this.#busy ??= this.#work().finally(() => {
      this.#busy = undefined;
    });
    return true;
  }

  async #work(): Promise<void> {
    for (let data = this.#waiting.shift(); data !== undefined; data = this.#waiting.shift()) {
      let reply: string | undefined;
      try {
        reply = await this.#answer(data);
      } catch (error) {
        reply = wrong(errorText(error));
      }
      if (reply !== undefined) await this.#reply(reply);
    }
  }

  async #reply(data: string): Promise<void> {
    this.#last = packet(data);
    if (!this.#closed) await this.#events.send(this.#last);
  }

  /** The reply to a packet; undefined where it has been sent, or where there is none. */
  async #answer(data: string): Promise<string | undefined> {
    const rest = data.slice(1);
    switch (data[0]) {
      case '?':
        return this.#lastStop;
      case 'g':
        return this.#registers(await this.#target.view());
      case 'G':
        return this.#setAll(rest);
      case 'p':
        return this.#register(rest);
      case 'P':
        return this.#setRegister(rest);
      case 'm':
        return this.#read(rest);
      case 'M':
        return this.#write(rest, (text) => fromHex(text));
      case 'X':
        return this.#write(rest, (text) => Uint8Array.from(text, (one) => one.charCodeAt(0) & 0xff));
      case 'Z':
      case 'z':
        return this.#points.change(data[0] === 'Z', rest);
      case 'c':
      case 's':
      case 'C':
      case 'S':
        return this.#go(data);
      case 'b':
        return data === 'bs' || data === 'bc' ? this.#go(data) : '';
      case 'v':
        return this.#verbose(data);
      case 'q':
        return this.#query(data);
      case 'Q':
        return this.#set(data);
      case 'H':
        return this.#select(rest);
      case 'T':
        return (await this.#cpuOf(rest)) === undefined ? wrong(`there is no thread ${rest}`) : OK;
      case 'D':
        await this.#reply(OK);
        this.#events.detached();
        return undefined;
      case 'k':
        return this.#kill();
      case 'R':
        // It has no reply: gdb asks for the state next.
        await this.#restart();
        return undefined;
      case '!':
        this.#extended = true;
        return OK;
      default:
        return '';
    }
  }

  async #query(data: string): Promise<string | undefined> {
    if (data.startsWith('qSupported')) {
      await this.#describe();
      const back = (await this.#target.history()) === undefined ? '' : ';ReverseStep+;ReverseContinue+';
      return `PacketSize=${PACKET_SIZE.toString(16)};QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+${back}`;
    }
    if (data.startsWith('qXfer:features:read:target.xml:')) {
      const where = data.slice('qXfer:features:read:target.xml:'.length);
      // gdb reads it from its start when it connects, and after `unset tdesc filename`.
      if (/^0+,/.test(where)) await this.#describe();
      return part(this.#description.xml, where);
    }
    if (data.startsWith('qRcmd,')) return this.#monitor(data.slice('qRcmd,'.length));
    if (data.startsWith('qAttached')) return '1';
    if (data === 'qC') return `QC${threadOf((await this.#target.cpus()).current)}`;
    if (data === 'qfThreadInfo') return this.#threads();
    if (data === 'qsThreadInfo') return 'l';
    if (data.startsWith('qThreadExtraInfo,')) {
      const cpu = await this.#cpuOf(data.slice('qThreadExtraInfo,'.length));
      return cpu === undefined ? wrong('there is no such thread') : hexText(`CPU ${cpu}`);
    }
    if (data === 'qqemu.PhyMemMode') return this.#settings.physical ? '1' : '0';
    return '';
  }

  /** A thread for each CPU. */
  async #threads(): Promise<string> {
    const { count } = await this.#target.cpus();
    return `m${Array.from({ length: count }, (_, cpu) => threadOf(cpu)).join(',')}`;
  }

  /** The CPU that gdb means by a thread: 0 and -1 are "any" and "all". Undefined where there is none. */
  async #cpuOf(thread: string): Promise<number | undefined> {
    const { count, current } = await this.#target.cpus();
    if (thread === '0' || thread === '-1') return current;
    const number = /^[\da-f]{1,4}$/.test(thread) ? Number.parseInt(thread, 16) : 0;
    return number >= 1 && number <= count ? number - 1 : undefined;
  }

  /** `Hg` chooses whose registers gdb reads and writes; `Hc` which CPUs continue: here always all. */
  async #select(rest: string): Promise<string> {
    const cpu = await this.#cpuOf(rest.slice(1));
    if (cpu === undefined) return wrong(`there is no thread ${rest.slice(1)}`);
    if (rest.startsWith('g')) await this.#target.select(cpu);
    return OK;
  }

  #set(data: string): string {
    if (data === 'QStartNoAckMode') {
      this.#acknowledges = false;
      return OK;
    }
    if (/^Qqemu\.PhyMemMode:[01]$/.test(data)) {
      this.#settings.physical = data.endsWith('1');
      return OK;
    }
    return '';
  }

  /** The register set that gdb assumes from now on: that of the current code. */
  async #describe(): Promise<void> {
    this.#settings.described = (await this.#target.here()).bits;
    this.#announced = this.#settings.described;
    this.#description = descriptions[this.#settings.described];
  }

  async #monitor(hex: string): Promise<string> {
    const command = fromHex(hex);
    if (command === undefined) return wrong('that is not hexadecimal text');
    const line = new TextDecoder('latin1').decode(command);
    // As text: gdb shows an error's words for no monitor command.
    this.#asked = true;
    const text = await monitor(line, this.#target, this.#settings)
      .catch((error) => `${errorText(error)}\n`)
      .finally(() => {
        this.#asked = false;
      });
    for (let at = 0; at < text.length; at += TEXT_SIZE)
      await this.#reply(`O${hexText(text.slice(at, at + TEXT_SIZE))}`);
    return OK;
  }

  // Registers

  #registers(view: CpuView): string {
    return this.#description.registers.map((one) => shown(view, one)).join('');
  }

  async #register(hex: string): Promise<string> {
    const one = this.#description.registers[Number.parseInt(hex, 16)];
    return one === undefined ? wrong(`there is no register ${hex}`) : shown(await this.#target.view(), one);
  }

  async #setRegister(text: string): Promise<string> {
    const [number = '', value = ''] = text.split('=');
    const one = this.#description.registers[Number.parseInt(number, 16)];
    const bits = fromLittleEndian(value);
    if (one === undefined || bits === undefined) return wrong(`register ${number} cannot be set to ${value}`);
    await this.#change(one, bits);
    return OK;
  }

  async #setAll(hex: string): Promise<string> {
    const view = await this.#target.view();
    let at = 0;
    for (const one of this.#description.registers) {
      const text = hex.slice(at, at + one.bits / 4);
      at += one.bits / 4;
      const value = text === shown(view, one) ? undefined : fromLittleEndian(text);
      if (value !== undefined) await this.#change(one, value);
    }
    return OK;
  }

  /** If gdb sees only 32 bits of a 64-bit register, the others do not change. */
  async #change({ source, bits }: GdbRegister, value: bigint): Promise<void> {
    const before = registerOf(await this.#target.view(), source) ?? 0n;
    const kept = source === 'pc' || bits >= 64 ? 0n : (before >> BigInt(bits)) << BigInt(bits);
    await this.#target.setRegister(source, kept | BigInt.asUintN(bits, value));
  }

  // Memory

  get #space(): Space {
    return this.#settings.physical ? 'physical' : 'linear';
  }

  async #read(text: string): Promise<string> {
    const { address, length } = rangeOf(text);
    // A reply is no longer than a packet.
    const bytes = await this.#target.read(address, Math.min(length, PACKET_SIZE / 2), this.#space);
    return toHex(bytes);
  }

  async #write(text: string, decode: (text: string) => Uint8Array | undefined): Promise<string> {
    const colon = text.indexOf(':');
    const { address, length } = rangeOf(text.slice(0, Math.max(colon, 0)));
    const bytes = decode(text.slice(colon + 1));
    if (bytes === undefined || bytes.length !== length)
      return wrong(`there are not ${length} bytes to write`);
    await this.#target.write(address, bytes, this.#space);
    return OK;
  }

  // Running

  async #verbose(data: string): Promise<string | undefined> {
    if (data === 'vCont?') return 'vCont;c;C;s;S;t;r';
    if (data.startsWith('vKill')) {
      await this.#reply(OK);
      return this.#kill();
    }
    // The machine runs its own image, not gdb's file.
    if (data.startsWith('vRun')) {
      await this.#restart();
      return this.#lastStop;
    }
    // All CPUs run and stop together: the first action counts, and a step is one of the CPU that it names.
    const [, action, thread] = /^vCont;([^;:]*)(?::([^;]*))?/.exec(data) ?? [];
    if (action === undefined) return '';
    if (thread !== undefined && /^[sSr]/.test(action)) {
      const cpu = await this.#cpuOf(thread);
      if (cpu === undefined) return wrong(`there is no thread ${thread}`);
      await this.#target.select(cpu);
    }
    return this.#go(action);
  }

  async #go(action: string): Promise<string | undefined> {
    const refused = this.#points.refusal;
    if (refused !== undefined) return wrong(refused);
    const stop = await this.#run(action);
    if (stop === undefined) return wrong(`what does '${action}' mean?`);
    const { packets, over } = replyTo(stop, this.#points.known);
    this.#lastStop = packets[packets.length - 1]!;
    const mode = over ? undefined : this.#announce(stop.bits);
    if (mode !== undefined) await this.#reply(`O${hexText(mode)}`);
    for (const data of packets) await this.#reply(data);
    if (over) this.#gone();
    return undefined;
  }

  /** Reports once that the code has another width than gdb was told. */
  #announce(bits: CodeBits): string | undefined {
    if (this.#announced === undefined || bits === this.#announced) return undefined;
    this.#announced = bits;
    const { described } = this.#settings;
    return bits === described ? undefined : `terrarium: ${modeText(bits, described)}`;
  }

  /** Restarts the machine; gdb itself removes its breakpoints. */
  async #restart(): Promise<void> {
    await this.#target.restart();
    this.#dead = false;
    this.#lastStop = STOPPED;
  }

  /** The guest has ended, which ends debugging unless gdb may restart it. */
  #gone(): void {
    this.#dead = true;
    if (!this.#extended) this.#events.over();
  }

  #kill(): undefined {
    this.#lastStop = 'X09';
    this.#gone();
  }

  async #run(action: string): Promise<Stop | undefined> {
    const range = /^r([\da-f]{1,16}),([\da-f]{1,16})$/i.exec(action);
    this.#running = true;
    try {
      if (this.#closed) return undefined;
      if (range !== null)
        return await this.#target.stepWithin(BigInt(`0x${range[1]}`), BigInt(`0x${range[2]}`));
      // A signal to deliver, and an address to continue from, are for processes: gdb sends neither here.
      if (/^[sS]/.test(action)) return await this.#target.step();
      if (/^[cC]/.test(action)) return await this.#target.resume(true);
      if (action === 'bs') return await this.#target.stepBack();
      if (action === 'bc') return await this.#target.resumeBack();
      return undefined;
    } finally {
      this.#running = false;
    }
  }
}

function shown(view: CpuView, { source, bits }: GdbRegister): string {
  const value = registerOf(view, source);
  return value === undefined ? 'xx'.repeat(bits / 8) : littleEndian(value, bits);
}

/** A part of a long text, as qXfer gives it: `offset,length`, in hex. */
function part(text: string, where: string): string {
  const found = /^([\da-f]{1,8}),([\da-f]{1,8})$/i.exec(where);
  if (found === null) return wrong('that is not an offset and a length');
  const from = Number.parseInt(found[1]!, 16);
  const to = from + Math.min(Number.parseInt(found[2]!, 16), PACKET_SIZE - 64);
  return `${to < text.length ? 'm' : 'l'}${text.slice(from, to)}`;
}
