/**
 * Interrupts without a handler in real mode: the services of a BIOS for an image that has none, the services of DOS, exceptions.
 * Source for the services' names: Ralf Brown's interrupt list.
 *
 * @module
 */
import { hex, readLinear, readPhysical } from '../inspect/index.js';
import type { Registers, SystemRegisters } from '../x86/index.js';
import { UNSERVED } from '../x86/index.js';
import { inImage } from './code-place.js';
import { eventText } from './gates.js';
import { isProtected, linearStack, placeText, type Scene, stackTop } from './scene.js';

/** The vector whose unserved entry point the CPU has reached; undefined where it is elsewhere. */
export function unservedVector(
  { registers, system }: { registers: Registers; system: SystemRegisters },
  halted: boolean,
): number | undefined {
  if (isProtected(system) || system.cs.selector !== UNSERVED.segment) return undefined;
  // A HLT is reported after it has completed.
  const vector = Number(registers.rip) - UNSERVED.offset - (halted ? 1 : 0);
  return vector >= 0 && vector < 256 ? vector : undefined;
}

/** The caller of an interrupt: the frame that its delivery pushed. */
export interface Call {
  vector: number;
  cs: number;
  ip: bigint;
  /** An INT instruction that ends at the frame's address caused the delivery. */
  software: boolean;
}

/** The frame on top of the stack, of an interrupt that was just delivered. */
export function frameOf(scene: Scene, vector: number): Call | undefined {
  const [ip, cs] = stackTop(scene, 2, 2);
  if (ip === undefined || cs === undefined) return undefined;
  const software = interruptBefore(scene, cs, ip) === vector;
  return { vector, cs: Number(cs), ip: software ? ip - 2n : ip, software };
}

/** The vector of the `INT n` that ends at a place. */
function interruptBefore(scene: Scene, cs: bigint, ip: bigint): number | undefined {
  if (ip < 2n) return undefined;
  const bytes = readLinear(scene, (cs << 4n) + ip - 2n, 2);
  return bytes[0] === 0xcd ? bytes[1] : undefined;
}

/** How much of the stack is searched for a call of an interrupt: bytes. */
const SEARCHED_BYTES = 64;

/**
 * A call of an interrupt whose vector points into the image, or to address 0: an image that was loaded over the vector table,
 * and calls a BIOS. Undefined where no frame of one is near the top of the stack.
 */
export function calledThroughImage(scene: Scene): Call | undefined {
  if (isProtected(scene.system) || scene.image === undefined) return undefined;
  const bytes = readLinear(scene, linearStack(scene), SEARCHED_BYTES);
  const word = (at: number) => BigInt((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
  for (let at = 0; at + 6 <= bytes.length; at += 2) {
    const [ip, cs] = [word(at), word(at + 2)];
    const vector = interruptBefore(scene, cs, ip);
    if (vector === undefined || !inImage(scene, (cs << 4n) + ip - 2n)) continue;
    const entry = readPhysical(scene.memory, BigInt(vector * 4), 4) ?? 0n;
    const target = ((entry >> 16n) << 4n) + (entry & 0xffffn);
    // A guest with a handler has written its address there.
    if (entry === 0n || (inImage(scene, BigInt(vector * 4)) && !inImage(scene, target)))
      return { vector, cs: Number(cs), ip: ip - 2n, software: true };
  }
  return undefined;
}

interface Service {
  name: string;
  functions?: Readonly<Record<number, string>>;
  instead: string;
}

/** From this vector on, interrupts belong to an operating system. */
const FIRST_OF_DOS = 0x20;

/** The services of a PC's BIOS, and of DOS. */
const services: Readonly<Record<number, Service>> = {
  16: {
    name: 'video',
    functions: {
      0: 'set the mode',
      2: 'move the cursor',
      6: 'scroll',
      9: 'write characters',
      14: 'write a character',
      19: 'write a string',
    },
    instead:
      "Write characters to the console, which is port 0xe9 (mov $'A', %al; out %al, $0xe9), or to the screen, which is memory from B800:0000 (run it with --screen). Or let its first sector end in 55 AA: a boot sector has a BIOS.",
  },
  17: { name: 'equipment', instead: 'The equipment word is at 0040:0010.' },
  18: { name: 'memory size', instead: 'The size of conventional memory in KiB is at 0040:0013.' },
  19: {
    name: 'disk',
    functions: { 0: 'reset', 2: 'read sectors', 8: 'parameters', 66: 'read sectors by LBA' },
    instead:
      'Let the image’s first sector end in 55 AA: then it is a boot sector, which has a BIOS and a disk. Or link everything into one image.',
  },
  20: { name: 'serial port', instead: 'The serial port is at ports 0x3f8 to 0x3ff.' },
  21: { name: 'system', instead: 'The A20 line is port 0x92; --memory sets the memory size.' },
  22: {
    name: 'keyboard',
    functions: { 0: 'read a key', 1: 'check for a key' },
    instead: 'The keyboard is at ports 0x60 and 0x64, and interrupts by IRQ 1.',
  },
  26: { name: 'clock', instead: 'The clock is at ports 0x70 and 0x71, the timer at 0x40 to 0x43.' },
  32: { name: 'DOS: end the program', instead: 'End the guest with CLI and HLT.' },
  33: {
    name: 'DOS',
    functions: { 2: 'write a character', 9: 'write a text', 76: 'end the program' },
    instead:
      'A boot sector runs alone on the machine: write characters by INT 10h, AH = 0x0e. A program for DOS needs a disk with a DOS: terrarium run freedos.img --screen.',
  },
};

/** `INT 0x10 (video: AH = 0x0e, write a character)`. */
export function interruptText(vector: number, ah: number): string {
  const service = services[vector];
  const number = `INT 0x${vector.toString(16).padStart(2, '0')}`;
  if (service === undefined) return number;
  const what = service.functions?.[ah];
  const functionText =
    service.functions === undefined
      ? ''
      : `: AH = 0x${ah.toString(16).padStart(2, '0')}${what === undefined ? '' : `, ${what}`}`;
  return `${number} (${service.name}${functionText})`;
}

/** The explanation of an interrupt without a handler. */
export interface UnservedEnding {
  title: string;
  steps: { text: string; why?: string }[];
  evidence: string[];
  mistakes: string[];
}

/** @param cause why an exception was raised, where it is one */
export function explainUnserved(
  scene: Scene,
  call: Call,
  cause?: { check: string; evidence?: string[]; mistake?: string },
): UnservedEnding {
  const { vector, cs, ip, software } = call;
  const where = scene.locate((BigInt(cs) << 4n) + ip);
  const place = `${placeText(cs, ip)}${where === undefined ? '' : `, ${where}`}`;
  const vectorLine = `vector 0x${vector.toString(16).padStart(2, '0')} at ${hex(vector * 4)}: ${hex(readPhysical(scene.memory, BigInt(vector * 4), 4) ?? 0n, 8)}`;
  if (software) {
    const text = interruptText(vector, Number((scene.registers.rax >> 8n) & 0xffn));
    return {
      title: `nothing serves ${text}`,
      steps: [
        {
          text: `the guest called ${text} at ${place}`,
          why:
            vector < FIRST_OF_DOS
              ? 'a flat image has no BIOS: boot sectors and disks have one'
              : 'it is a call of an operating system, and there is none',
        },
      ],
      evidence: [vectorLine],
      mistakes: [
        services[vector]?.instead ??
          'To handle it yourself, write the handler’s offset and segment to its entry in the vector table.',
      ],
    };
  }
  const event = eventText(vector);
  return {
    title: `${event} in real mode has no handler`,
    steps: [
      { text: `${event} came at ${place}`, ...(cause && { why: cause.check }) },
      { text: 'its entry in the vector table has no handler' },
    ],
    evidence: [...(cause?.evidence ?? []), vectorLine],
    mistakes: [
      ...(cause?.mistake === undefined ? [] : [cause.mistake]),
      `A handler's offset and segment go to addresses ${hex(vector * 4)} and ${hex(vector * 4 + 2)}.`,
    ],
  };
}
