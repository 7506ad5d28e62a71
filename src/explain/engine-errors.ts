/**
 * Ends that an engine reports: a state that the processor refuses to enter, an instruction that KVM's emulator does not
 * support, an event that could not be delivered.
 *
 * @module
 */
import type { EngineFailure } from '../engine/contract/index.js';
import { hex, walkPages } from '../inspect/index.js';
import { disassemble, type Instruction } from '../isa/index.js';
import { whyNotEmulated } from './emulation.js';
import { explainNoCode } from './endings.js';
import { checkGuestState } from './entry-checks.js';
import { checkGate, eventText } from './gates.js';
import { linearRip, linearStack, memoryOf, modeText, type Scene } from './scene.js';

/** The parts of an explanation. */
export interface EngineEnding {
  title: string;
  steps: { text: string; why?: string }[];
  evidence: string[];
  mistakes: string[];
  /** The guest did nothing wrong. */
  innocent?: true;
}

/** Explains an end by an engine's failure; the failure's name determines its kind. */
export function explainEngineError(scene: Scene, failure: EngineFailure): EngineEnding {
  switch (failure.name) {
    case 'KVM_EXIT_FAIL_ENTRY':
      return explainEntry(scene, failure);
    case 'KVM_INTERNAL_ERROR_EMULATION':
      if (scene.instruction === undefined && failure.instruction === undefined) break;
      return explainEmulation(scene, failure);
    case 'KVM_INTERNAL_ERROR_DELIVERY_EV':
    case 'KVM_INTERNAL_ERROR_SIMUL_EX':
      return explainDeliveryFailure(scene, failure);
  }
  if (scene.instruction === undefined) {
    const { check, evidence = [], mistake } = explainNoCode(scene);
    return {
      title: 'the guest ran to an address without code',
      steps: [{ text: check }],
      evidence,
      mistakes: mistake === undefined ? [] : [mistake],
    };
  }
  return {
    title: 'the engine could not continue',
    steps: [{ text: failure.message }],
    evidence: [],
    mistakes: failure.hint === undefined ? [] : [`${failure.hint}.`],
  };
}

function explainEntry(scene: Scene, failure: EngineFailure): EngineEnding {
  const findings = checkGuestState(scene);
  const first = { text: `before it runs a guest, a processor checks its state; ${failure.message}` };
  if (findings.length === 0) {
    return {
      title: 'the processor does not enter the guest with this state',
      steps: [
        first,
        { text: 'all checks that can be made here pass: segments, control registers, EFER, flags' },
      ],
      evidence: [],
      mistakes: [
        'Run it with --engine soft, which enters any state and raises the exception that a processor would. The registers are above; SDM 3C 27.3.1 lists the checks.',
      ],
    };
  }
  return {
    title: 'the processor does not enter the guest with this state',
    steps: [first, ...findings.map(({ check }) => ({ text: check }))],
    evidence: [],
    mistakes: [...new Set(findings.map(({ mistake }) => mistake))],
  };
}

const SOFT =
  'Leave --assist on, as it is by default: the software CPU then executes such instructions, and KVM continues after them. Or run the whole guest with --engine soft.';

function explainEmulation(scene: Scene, failure: EngineFailure): EngineEnding {
  const instruction = instructionOf(scene, failure);
  const text = instruction?.text ?? 'the current instruction';
  const device = deviceAccess(scene);
  const why = device ?? `this host’s KVM runs ${modeText(scene)} in its emulator, one instruction at a time`;
  const unknown = whyNotEmulated(instruction, scene);
  const message = failure.message.includes('software CPU') ? [{ text: failure.message }] : [];
  return {
    title: `KVM’s emulator does not support ${text}`,
    steps: [{ text: `KVM had to emulate ${text}`, why }, { text: unknown }, ...message],
    evidence: [],
    mistakes: [
      ...(device === undefined
        ? []
        : [
            'Access devices with plain MOVs (in C: volatile integers of 1 to 8 bytes), which every emulator supports. Or is the pointer wrong, and should point to memory?',
          ]),
      SOFT,
    ],
    ...(device === undefined && { innocent: true }),
  };
}

/** The instruction from the bytes that KVM gives, which it may have read before the guest changed them; else from memory. */
function instructionOf(scene: Scene, { instruction: bytes }: EngineFailure): Instruction | undefined {
  if (bytes === undefined) return scene.instruction;
  return disassemble(bytes, {
    code: scene.code,
    address: scene.registers.rip,
    syntax: scene.syntax,
  });
}

/** Says so where the instruction accesses memory that is not RAM: KVM emulates it on every host. */
function deviceAccess(scene: Scene): string | undefined {
  const access = memoryOf(scene);
  if (access === undefined) return undefined;
  const { physical } = walkPages(scene, access.linear);
  if (physical === undefined || isRam(scene, physical)) return undefined;
  return `it accesses ${hex(physical)}, which is not RAM: on every host, KVM uses its emulator for accesses to devices`;
}

function isRam({ memory }: Scene, physical: bigint): boolean {
  return physical <= BigInt(Number.MAX_SAFE_INTEGER) && memory.contains(Number(physical), 1);
}

/** The type of an event, by bits 8 to 10 of its field (SDM 3C 25.9.3, APM 2 15.20). */
const eventKinds: Readonly<Record<number, string>> = {
  0: 'an external interrupt',
  2: 'an NMI',
  3: 'an exception',
  4: 'INT n',
  5: 'INT1',
  6: 'INT3 or INTO',
};

/** `#PF (page fault) (an exception)`; undefined where the field holds no event. */
function eventOf(field: bigint | undefined): { vector: number; text: string } | undefined {
  if (field === undefined || !(field & 0x8000_0000n)) return undefined;
  const vector = Number(field & 0xffn);
  const kind = eventKinds[Number((field >> 8n) & 7n)];
  return { vector, text: `${eventText(vector)}${kind === undefined ? '' : `, ${kind}`}` };
}

/** Basic exit reasons (SDM 3C appendix C) that the delivery of an event can cause. */
const exitReasons: Readonly<Record<number, string>> = {
  0: 'an exception was raised',
  2: 'a triple fault',
  9: 'the gate is a task gate, and KVM does the task switch',
  48: 'memory that is not mapped for the guest',
  49: 'memory of a device, or unclaimed memory',
};

function explainDeliveryFailure(scene: Scene, failure: EngineFailure): EngineEnding {
  const [delivering, second] = failure.data ?? [];
  const event = eventOf(delivering);
  const together = failure.name === 'KVM_INTERNAL_ERROR_SIMUL_EX';
  const other = together ? eventOf(second) : undefined;
  const reason = together || second === undefined ? undefined : Number(second & 0xffffn);
  const words = reason === undefined ? undefined : exitReasons[reason];
  const found = deliveryPlaces(scene, event?.vector);
  const steps = [
    { text: event === undefined ? failure.message : `the CPU was delivering ${event.text}` },
    ...(other === undefined ? [] : [{ text: `in the middle of that, ${other.text}, was raised` }]),
    ...(reason === undefined
      ? []
      : [{ text: `it left the guest in the middle of that: ${words ?? 'exit reason'} (${reason})` }]),
    ...found.steps,
  ];
  return {
    title: `${event === undefined ? 'an event' : eventText(event.vector)} could not be delivered to the guest`,
    steps,
    evidence: found.evidence,
    mistakes: [
      ...found.mistakes,
      'A delivery reads the IDT, the GDT and perhaps the TSS, and pushes a frame on the stack. All of them must be in RAM: KVM cannot finish a delivery that accesses a device. --engine soft shows the exception that a processor would raise.',
    ],
  };
}

/** What a delivery accesses, and which of it is not in RAM. */
function deliveryPlaces(scene: Scene, vector: number | undefined): Omit<EngineEnding, 'title'> {
  const steps: { text: string }[] = [];
  const evidence: string[] = [];
  const mistakes: string[] = [];
  const gate = vector === undefined ? undefined : checkGate(scene, vector);
  if (gate !== undefined) {
    steps.push({ text: gate.check });
    evidence.push(...(gate.evidence ?? []));
    if (gate.mistake !== undefined) mistakes.push(gate.mistake);
  }
  const top = linearStack(scene) - 1n;
  const { physical } = walkPages(scene, top);
  if (physical === undefined || !isRam(scene, physical)) {
    steps.push({
      text: `the stack (its pointer is ${hex(scene.registers.rsp)}) is ${physical === undefined ? 'not mapped' : 'not in RAM'}`,
    });
    mistakes.push('Load the stack pointer with the end of an area in RAM.');
  }
  const code = walkPages(scene, linearRip(scene.registers, scene.system)).physical;
  if (code !== undefined && !isRam(scene, code))
    steps.push({ text: `the code at ${hex(code)} is not in RAM either` });
  return { steps, evidence, mistakes };
}
