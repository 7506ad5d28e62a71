import type { GuestMemory } from '../../memory/index.js';

/** Offsets of a frame's parts: rom/bios.S defines them. */
const At = {
  /** The next action; above it a byte for services that wait. */
  action: 0,
  step: 1,
  es: 2,
  ds: 4,
  edi: 6,
  esi: 10,
  ebp: 14,
  ebx: 22,
  edx: 26,
  ecx: 30,
  eax: 34,
  service: 38,
  ip: 40,
  cs: 42,
  flags: 44,
} as const;
export const FRAME_SIZE = 46;

const Flag = { carry: 1, zero: 0x40, interrupt: 0x200 } as const;
/** See `DO_WAIT` in rom/bios.S. */
const WAIT = 1;

/**
 * The registers of the BIOS's caller, as its ROM pushed them onto the stack: the caller gets a service's changes in its registers. All are
 * in guest memory, so a guest may write any values there; each value is just a number.
 */
export class Frame {
  readonly #view: DataView;

  private constructor(view: DataView) {
    this.#view = view;
  }

  /** The frame at a guest physical address; undefined where there is no RAM for one. */
  static at(memory: GuestMemory, address: number): Frame | undefined {
    if (!memory.contains(address, FRAME_SIZE)) return undefined;
    const { buffer, byteOffset } = memory.view(address, FRAME_SIZE);
    return new Frame(new DataView(buffer, byteOffset, FRAME_SIZE));
  }

  /** A frame without memory of its own, for a CPU's state. */
  static free(): Frame {
    return new Frame(new DataView(new ArrayBuffer(FRAME_SIZE)));
  }

  /** The number that the ROM's entry pushed. */
  get service(): number {
    return this.#view.getUint16(At.service, true);
  }

  /** The caller waits with interrupts on, and the service is called again after one. Then `step` is set. */
  wait(step = 0): void {
    this.#view.setUint8(At.action, WAIT);
    this.#view.setUint8(At.step, step);
  }

  /** The caller continues, unless the service says otherwise. */
  goOn(): void {
    this.#view.setUint8(At.action, 0);
  }

  get waits(): boolean {
    return this.#view.getUint8(At.action) === WAIT;
  }

  /** 0, or the service's value when it last made the caller wait in this call. */
  get step(): number {
    return this.#view.getUint8(At.step);
  }

  #get16(at: number): number {
    return this.#view.getUint16(at, true);
  }
  #set16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  get al(): number {
    return this.#view.getUint8(At.eax);
  }
  set al(value: number) {
    this.#view.setUint8(At.eax, value);
  }
  get ah(): number {
    return this.#view.getUint8(At.eax + 1);
  }
  set ah(value: number) {
    this.#view.setUint8(At.eax + 1, value);
  }
  get ax(): number {
    return this.#get16(At.eax);
  }
  set ax(value: number) {
    this.#set16(At.eax, value);
  }
  get eax(): number {
    return this.#view.getUint32(At.eax, true);
  }
  set eax(value: number) {
    this.#view.setUint32(At.eax, value, true);
  }
  get bl(): number {
    return this.#view.getUint8(At.ebx);
  }
  set bl(value: number) {
    this.#view.setUint8(At.ebx, value);
  }
  get bh(): number {
    return this.#view.getUint8(At.ebx + 1);
  }
  set bh(value: number) {
    this.#view.setUint8(At.ebx + 1, value);
  }
  get bx(): number {
    return this.#get16(At.ebx);
  }
  set bx(value: number) {
    this.#set16(At.ebx, value);
  }
  get ebx(): number {
    return this.#view.getUint32(At.ebx, true);
  }
  set ebx(value: number) {
    this.#view.setUint32(At.ebx, value, true);
  }
  get cl(): number {
    return this.#view.getUint8(At.ecx);
  }
  set cl(value: number) {
    this.#view.setUint8(At.ecx, value);
  }
  get ch(): number {
    return this.#view.getUint8(At.ecx + 1);
  }
  set ch(value: number) {
    this.#view.setUint8(At.ecx + 1, value);
  }
  get cx(): number {
    return this.#get16(At.ecx);
  }
  set cx(value: number) {
    this.#set16(At.ecx, value);
  }
  get ecx(): number {
    return this.#view.getUint32(At.ecx, true);
  }
  set ecx(value: number) {
    this.#view.setUint32(At.ecx, value, true);
  }
  get dl(): number {
    return this.#view.getUint8(At.edx);
  }
  set dl(value: number) {
    this.#view.setUint8(At.edx, value);
  }
  get dh(): number {
    return this.#view.getUint8(At.edx + 1);
  }
  set dh(value: number) {
    this.#view.setUint8(At.edx + 1, value);
  }
  get dx(): number {
    return this.#get16(At.edx);
  }
  set dx(value: number) {
    this.#set16(At.edx, value);
  }
  get edx(): number {
    return this.#view.getUint32(At.edx, true);
  }
  set edx(value: number) {
    this.#view.setUint32(At.edx, value, true);
  }
  get si(): number {
    return this.#get16(At.esi);
  }
  set si(value: number) {
    this.#set16(At.esi, value);
  }
  set esi(value: number) {
    this.#view.setUint32(At.esi, value, true);
  }
  get di(): number {
    return this.#get16(At.edi);
  }
  set di(value: number) {
    this.#set16(At.edi, value);
  }
  get edi(): number {
    return this.#view.getUint32(At.edi, true);
  }
  set edi(value: number) {
    this.#view.setUint32(At.edi, value, true);
  }
  get bp(): number {
    return this.#get16(At.ebp);
  }
  set bp(value: number) {
    this.#set16(At.ebp, value);
  }
  get ds(): number {
    return this.#get16(At.ds);
  }
  get es(): number {
    return this.#get16(At.es);
  }
  set es(value: number) {
    this.#set16(At.es, value);
  }
  get cs(): number {
    return this.#get16(At.cs);
  }
  get ip(): number {
    return this.#get16(At.ip);
  }

  /** The caller continues elsewhere, with interrupts on. */
  jump(cs: number, ip: number): void {
    this.#set16(At.cs, cs);
    this.#set16(At.ip, ip);
    this.#set16(At.flags, 2 | Flag.interrupt);
  }

  get carry(): boolean {
    return (this.#get16(At.flags) & Flag.carry) !== 0;
  }
  set carry(on: boolean) {
    this.#flag(Flag.carry, on);
  }
  get zero(): boolean {
    return (this.#get16(At.flags) & Flag.zero) !== 0;
  }
  set zero(on: boolean) {
    this.#flag(Flag.zero, on);
  }

  #flag(bit: number, on: boolean): void {
    const flags = this.#get16(At.flags);
    this.#set16(At.flags, on ? flags | bit : flags & ~bit);
  }
}
