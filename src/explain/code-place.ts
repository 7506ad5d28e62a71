/**
 * Where the CPU is, relative to the image: returned from its entry function, outside the image, in code of another width.
 *
 * @module
 */
import { hex, readLinear, readPhysical, walkPages } from '../inspect/index.js';
import { type CodeSize, disassemble, type Instruction, MAX_LENGTH } from '../isa/index.js';
import { ENTRY_RETURN } from '../x86/index.js';
import { type Finding, linearRip, type Scene } from './scene.js';
import { zerosBefore } from './zeros.js';

/** The CPU jumped to the return address on the initial stack. */
export function explainEntryReturn(scene: Scene): Finding | undefined {
  const at = linearRip(scene.registers, scene.system);
  const narrow = BigInt.asUintN(32, ENTRY_RETURN);
  if (at !== ENTRY_RETURN && (scene.code === 64 || at !== narrow)) return undefined;
  const entry = scene.image === undefined ? undefined : scene.locate(BigInt(scene.image.entry));
  const name = entry === undefined ? '' : `, ${entry},`;
  return {
    check: `the kernel's entry function${name} returned, and nothing called it: the value on its stack where a return address would be, ${hex(at)}, is not code`,
    mistake: 'End the entry function with an endless loop around HLT, as in: cli; 1: hlt; jmp 1b.',
  };
}

/** True where the image is known, and the current instruction is not in it. */
export function isOutside(scene: Scene): boolean {
  const linear = linearRip(scene.registers, scene.system);
  // Where it is no longer mapped, use the address itself: guests start with linear = physical.
  const { physical = linear } = walkPages(scene, linear);
  return scene.image !== undefined && !inImage(scene, physical);
}

/** A sentence for an instruction outside the image; undefined where it is inside, or where the image's address is not known. */
export function outsideText(scene: Scene): string | undefined {
  if (scene.image === undefined) return undefined;
  const linear = linearRip(scene.registers, scene.system);
  const { physical } = walkPages(scene, linear);
  if (physical === undefined || readPhysical(scene.memory, physical, 1) === undefined) return undefined;
  if (inImage(scene, physical)) return undefined;
  const pieces = scene.image.segments.map(
    ({ address, size }) => `${hex(address)}–${hex(address + Math.max(size, 1) - 1)}`,
  );
  const zeros = zerosBefore(scene, physical);
  const how = zeros >= 16 ? ', after an area of zeros' : '';
  return `${hex(physical)} is outside the image (${pieces.slice(0, 3).join(', ')}${pieces.length > 3 ? ', …' : ''})${how}`;
}

/** True for a physical address inside the image. */
export function inImage({ image }: Scene, physical: bigint): boolean {
  return (
    image?.segments.some(({ address, size }) => physical >= address && physical < address + size) ?? false
  );
}

/** A call whose return address is `value`. */
export interface CallSite {
  address: bigint;
  instruction: Instruction;
  /** The target, for a direct call. */
  target: bigint | undefined;
}

/** The CALL right before an address in the image; undefined where none ends there. */
export function callBefore(scene: Scene, value: bigint): CallSite | undefined {
  const { physical } = walkPages(scene, value);
  if (physical === undefined || !inImage(scene, physical - 1n)) return undefined;
  for (let length = 2; length <= 7; length++) {
    const address = value - BigInt(length);
    const bytes = readLinear(scene, address, length);
    const instruction = disassemble(bytes, { code: scene.code, address, syntax: scene.syntax });
    if (!instruction.mnemonic.startsWith('call') || instruction.length !== length) continue;
    const [to] = instruction.operands;
    return { address, instruction, target: to?.kind === 'target' ? to.address : undefined };
  }
  return undefined;
}

/** How many instructions of straight-line code are examined, from the entry on. */
const LOOKED_AT = 48;

/**
 * Code at the entry that is 32-bit code, although the CPU runs it in 64-bit mode: an instruction that 64-bit mode does not have
 * (far jumps with an address, PUSHA), or an absolute address in the image, which 64-bit mode reads as an offset from RIP.
 */
export function narrowCode(scene: Scene): string | undefined {
  const { image, code } = scene;
  if (image === undefined || code !== 64) return undefined;
  const entry = BigInt(image.entry);
  let at = entry;
  for (let n = 0; n < LOOKED_AT; n++) {
    const narrow = decode(scene, at, 32);
    if (narrow === undefined) return undefined;
    const wide = decode(scene, at, 64);
    // A REX.W prefix is DEC in 32 bits: compilers write the one all the time, the other hardly ever.
    if (wide !== undefined && /^dec/.test(narrow.mnemonic) && narrow.length === 1) return undefined;
    const sign = signOf32(scene, narrow, wide);
    if (sign) {
      return `The code at the entry ${hex(entry)} looks like 32-bit code: the instruction at ${hex(at)} is then ${narrow.text}; in 64-bit mode it is ${wide?.text ?? 'invalid'}. A 64-bit ELF file starts in long mode, in 64-bit code. Give the kernel a multiboot header, which starts it in 32 bits, or link it as a 32-bit file (-m32).`;
    }
    if (/^(jmp|ret|hlt|iret)/.test(narrow.mnemonic)) return undefined;
    at += BigInt(narrow.length);
  }
  return undefined;
}

function decode(scene: Scene, address: bigint, code: CodeSize): Instruction | undefined {
  const bytes = readLinear(scene, address, MAX_LENGTH);
  const instruction = disassemble(bytes, { code, address, syntax: scene.syntax });
  return instruction.encoding === undefined ? undefined : instruction;
}

function signOf32(scene: Scene, narrow: Instruction, wide: Instruction | undefined): boolean {
  if (wide === undefined || wide.mnemonic === '(bad)')
    return narrow.operands.some(({ kind }) => kind === 'far') || /^(pusha|popa)/.test(narrow.mnemonic);
  return narrow.operands.some((operand, i) => {
    if (operand.kind !== 'memory' || operand.base !== undefined || operand.index !== undefined) return false;
    const other = wide.operands[i];
    const relative = other?.kind === 'memory' ? other.target : undefined;
    if (relative === undefined) return false;
    return inImage(scene, operand.displacement) && !inImage(scene, relative);
  });
}
