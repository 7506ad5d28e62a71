/**
 * Explains why a run ended: the instruction, the check that failed, the table entry in question, the steps to the shutdown, and
 * the likely mistake.
 *
 * @module
 */
import type { DryRun, EngineFailure, FaultRecord } from '../engine/contract/index.js';
import { wrap } from '../inspect/index.js';
import type { Registers, SystemRegisters } from '../x86/index.js';
import { explainEntryReturn, isOutside, narrowCode, outsideText } from './code-place.js';
import { explainCurrentState, longFault } from './current-state.js';
import { explainHalt, explainLoop } from './endings.js';
import { explainEngineError } from './engine-errors.js';
import { explainFault } from './faults.js';
import { eventText, explainDelivery, faultText } from './gates.js';
import { explainLinux, linuxDeath } from './linux.js';
import {
  type Finding,
  type Locate,
  linearRip,
  modeText,
  placeText,
  type Scene,
  type SceneSource,
  sceneOf,
} from './scene.js';
import { type Call, calledThroughImage, explainUnserved, frameOf, unservedVector } from './unserved.js';
import type { RecentAccess } from './waits.js';

/** The facts about a run that ended: an `Outcome` together with the machine's memory. */
export interface DeathSubject extends SceneSource {
  readonly kind: string;
  readonly reason: string;
  readonly failure?: EngineFailure;
  /** Its last exits, where it did not end. */
  readonly recent?: readonly RecentAccess[];
  /** Requests that its devices could not serve. */
  readonly remarks?: readonly string[];
  /** For a guest that a debugger has stopped (`kind` is `debug`): the dry run of its next instruction, where there is one. */
  readonly ahead?: DryRun;
  /** The CPU that died, and the others where there are some. */
  readonly cpu?: number;
  readonly others?: readonly OtherCpu[];
}

/** A CPU that did not end the run. */
interface OtherCpu {
  readonly cpu: number;
  /** `runs`, `halts`, or `waits` for a start-up interrupt. */
  readonly activity: 'runs' | 'halts' | 'waits';
  readonly registers: Registers;
  readonly system: SystemRegisters;
}

/** One step to the end, and its reason. */
export interface ExplainedStep {
  text: string;
  why?: string;
}

/** Why a run ended. */
export interface Explanation {
  /** One line. */
  title: string;
  /** `0008:00100009`. */
  place: string;
  /** The CPU's number, where there are several. */
  cpu?: number;
  /** What the other CPUs do. */
  others?: string[];
  /** The instruction at that address; undefined where none can be fetched. */
  instruction?: string;
  /** Symbol and source line, where they are known. */
  where?: string;
  steps: ExplainedStep[];
  /** The table entries in question. */
  evidence: string[];
  /** The likely mistake and what to do, a paragraph each. */
  mistakes: string[];
  /** The guest did nothing wrong: `mistakes` says what to do. */
  innocent?: true;
}

/** Explains an end. Where something is not known, there are fewer steps, or none. */
export function explain(subject: DeathSubject): Explanation {
  const scene = sceneOf(subject.kind === 'halted' ? atHalt(subject) : subject);
  const { kind } = subject;
  const linux = kind === 'poweredOff' ? undefined : linuxDeath(scene);
  const said: Ending | undefined = linux && explainLinux(linux);
  const ending = said ?? explainPlace(scene, kind) ?? explainEnding(scene, subject);
  const { registers, system, instruction, locate } = scene;
  ending.evidence.push(...(subject.remarks ?? []));
  const narrow = deadly(kind, narrowCode(scene));
  if (narrow !== undefined) ending.mistakes = [narrow];
  const stale = kind === 'debug' ? undefined : staleCode(scene);
  if (stale !== undefined) ending.mistakes = [stale, ...(ending.innocent ? [] : ending.mistakes)];
  // These remarks are for guests that did nothing wrong, and do not fit this one.
  if (stale !== undefined || narrow !== undefined) delete ending.innocent;
  const outside = deadly(kind, outsideText(scene));
  if (outside !== undefined) ending.evidence.push(outside);
  // Past the image's end the nearest symbol means nothing.
  const known = !isOutside(scene);
  const where = known ? (locate(linearRip(registers, system)) ?? locate(registers.rip)) : undefined;
  return {
    ...ending,
    place: placeText(system.cs.selector, registers.rip),
    ...(subject.others && { cpu: subject.cpu ?? 0, others: subject.others.map(otherText(locate)) }),
    ...(instruction !== undefined && { instruction: instruction.text }),
    ...(where !== undefined && { where }),
  };
}

const doings = { runs: 'runs', halts: 'sleeps in a HLT', waits: 'was not started' } as const;

/** What another CPU does meanwhile, and where. */
const otherText =
  (locate: Locate) =>
  ({ cpu, activity, registers, system }: OtherCpu): string => {
    if (activity === 'waits') return `CPU ${cpu} ${doings.waits}`;
    const where = locate(linearRip(registers, system));
    const place = placeText(system.cs.selector, registers.rip);
    return `CPU ${cpu} ${doings[activity]}, at ${place}${where === undefined ? '' : ` ${where}`}`;
  };

/** Remarks only for guests that died. */
function deadly(kind: string, text: string | undefined): string | undefined {
  return kind === 'shutdown' || kind === 'engineError' ? text : undefined;
}

/** Ends that the address alone explains. */
function explainPlace(scene: Scene, kind: string): Ending | undefined {
  if (kind === 'debug') return undefined;
  const returned = explainEntryReturn(scene);
  if (returned !== undefined) return simple('the kernel’s entry function returned', returned);
  const vector = unservedVector(scene, false);
  const call = vector === undefined ? calledThroughImage(scene) : frameOf(scene, vector);
  if (call === undefined) return undefined;
  return explainUnserved(scene, call, call.software ? undefined : causeOf(scene, call));
}

/** Why the instruction to which an interrupt's frame returns raised the exception. */
function causeOf(scene: Scene, { vector, cs, ip }: Call): Finding | undefined {
  const { registers, system } = scene;
  const before = sceneOf({
    ...scene,
    registers: { ...registers, rip: ip, rsp: BigInt.asUintN(16, registers.rsp + 6n) },
    system: { ...system, cs: { ...system.cs, selector: cs, base: BigInt(cs) << 4n } },
    ...(scene.image && { image: scene.image }),
  } as SceneSource);
  const known = scene.faults.findLast((fault) => fault.vector === vector && fault.rip === ip);
  // Without the engine's record, a device's interrupt looks like an exception with the same vector.
  if (known === undefined && vector > 7 && vector !== 13) return undefined;
  const { ss, cr2 } = { ss: system.ss.selector, cr2: system.cr2 };
  return explainFault(before, known ?? { vector, cs, rip: ip, ss, rsp: registers.rsp, cr2 });
}

/** True for a guest that stopped by mistake: no interrupt can wake it, or nothing serves its interrupt. */
export function endsBadly(subject: Pick<DeathSubject, 'kind' | 'reason' | 'registers' | 'system'>): boolean {
  const { kind, reason } = subject;
  if (kind === 'shutdown' || kind === 'engineError') return true;
  if (kind !== 'halted') return false;
  return reason.includes('no interrupt can wake it') || unservedVector(subject, true) !== undefined;
}

/** Protected mode with the code segment of real mode (SDM 3A 10.9.1). */
function staleCode({ system, instruction }: Scene): string | undefined {
  const { cs } = system;
  const real =
    (system.cr0 & 1n) !== 0n &&
    !cs.db &&
    !cs.l &&
    cs.base === BigInt(cs.selector) << 4n &&
    cs.limit === 0xffff;
  if (!real || instruction?.operands.some(({ kind }) => kind === 'far')) return undefined;
  return 'CS still holds what real mode left in it, so the CPU reads 32-bit code as 16-bit code. Right after CR0.PE is set, jump far to load CS: ljmp $0x08, $next.';
}

/** A HLT is reported after it has completed: the instruction is the one before RIP. */
function atHalt(subject: DeathSubject): DeathSubject {
  const { registers } = subject;
  const before = { ...subject, registers: { ...registers, rip: registers.rip - 1n } };
  return registers.rip > 0n && sceneOf(before).instruction?.mnemonic === 'hlt' ? before : subject;
}

type Ending = Pick<Explanation, 'title' | 'steps' | 'evidence' | 'mistakes' | 'innocent'>;

function explainEnding(scene: Scene, { kind, reason, failure, ahead, recent }: DeathSubject): Ending {
  switch (kind) {
    case 'shutdown':
      return explainShutdown(scene);
    case 'engineError':
      return explainEngineError(scene, failure ?? { name: '', message: reason });
    case 'halted':
      return simple('the guest halted', explainHalt(scene, reason));
    case 'timeout':
    case 'limit':
    case 'stopped':
      return simple('the guest did not end', explainLoop(scene, reason, recent));
    case 'debug':
      return ahead?.ends ? explainComing(scene, ahead) : explainCurrentState(scene, ahead);
    default:
      return simple(reason, { check: reason });
  }
}

/** A guest that has not died, and whose next instruction ends it. */
function explainComing(scene: Scene, { faults }: DryRun): Ending {
  const death = explainShutdown({ ...scene, faults });
  return { ...death, title: `the guest has not died yet, but the next instruction ends it: ${death.title}` };
}

function simple(title: string, { check, evidence = [], mistake, innocent }: Finding): Ending {
  return {
    title,
    steps: [{ text: check }],
    evidence,
    mistakes: mistake === undefined ? [] : [mistake],
    ...(innocent && { innocent }),
  };
}

function explainShutdown(scene: Scene): Ending {
  const chain = lastChain(scene.faults);
  const [first] = chain;
  if (first === undefined) return unknownShutdown(scene);
  const evidence: string[] = [];
  const mistakes: string[] = [];
  const note = (finding: Finding) => {
    for (const line of finding.evidence ?? []) if (!evidence.includes(line)) evidence.push(line);
  };
  const steps = chain.map((fault, n): ExplainedStep => {
    const { delivering } = fault;
    if (delivering === undefined) {
      const finding = explainFault(scene, fault);
      note(finding);
      if (finding.mistake) mistakes.push(finding.mistake);
      return {
        text: `${raiser(scene, fault)} raised ${longFault(fault)}`,
        why: finding.check,
      };
    }
    const finding = explainDelivery(scene, delivering, fault);
    note(finding);
    // The reason why the first exception or interrupt did not reach its handler is a mistake of its own.
    if (n <= 1 && finding.mistake && !mistakes.includes(finding.mistake))
      mistakes.push(deliveryMistake(first, finding.mistake));
    const text =
      delivering === 8 && n > 0
        ? `two faults make a double fault (#DF), whose delivery raised ${faultText(fault)}`
        : `the delivery of ${eventText(delivering)} raised ${faultText(fault)}`;
    return { text, why: finding.check };
  });
  steps.push({ text: 'a fault during the delivery of #DF is a triple fault: the CPU shuts down' });
  const before = earlier(scene.faults.slice(0, scene.faults.length - chain.length));
  if (before !== undefined) steps.unshift({ text: before });
  const event = first.delivering ?? first.vector;
  return {
    title: `${eventText(event)} in ${modeText(scene)}, and no way to deliver it`,
    steps,
    evidence,
    mistakes,
  };
}

/** The source of an exception: the instruction, or its fetch. */
function raiser({ instruction, registers, system }: Scene, { vector, cr2 }: FaultRecord): string {
  if (vector === 14 && cr2 === linearRip(registers, system)) return 'fetching the instruction';
  if (instruction?.mnemonic === '(bad)') return 'what stands there';
  return instruction?.text ?? 'the instruction there';
}

/** The reason for an instruction's exception comes first, the missing handler second. */
function deliveryMistake(first: FaultRecord, mistake: string): string {
  return first.delivering === undefined ? `A handler would have caught it. ${mistake}` : mistake;
}

/** The last chain of exceptions: one from an instruction or an interrupt, and those that its delivery raised. */
function lastChain(faults: readonly FaultRecord[]): readonly FaultRecord[] {
  for (let n = faults.length - 1; n >= 0; n--) {
    const { delivering } = faults[n]!;
    const before = faults[n - 1];
    if (delivering === undefined || (delivering !== 8 && delivering !== before?.vector))
      return faults.slice(n);
  }
  return faults;
}

function earlier(faults: readonly FaultRecord[]): string | undefined {
  const own = faults.filter(({ delivering }) => delivering === undefined);
  const last = own.at(-1);
  if (last === undefined) return undefined;
  const count =
    own.length === 1
      ? 'an exception reached its handler'
      : `${own.length} exceptions or more reached their handlers`;
  return `before that ${count}, the last one ${faultText(last)} at ${placeText(last.cs, last.rip)}`;
}

function unknownShutdown(scene: Scene): Ending {
  return {
    title: `a triple fault in ${modeText(scene)}`,
    steps: [
      {
        text: 'the engine does not report its cause, and the CPU’s state does not reproduce it: this host’s KVM resets that state',
      },
    ],
    evidence: [],
    mistakes: [
      'Run it again with --engine soft: the software CPU sees each exception, and a run repeats exactly.',
    ],
  };
}

const WIDTH = 78;

/** An explanation as text, in 80 columns. */
export function formatExplanation({
  title,
  cpu,
  others = [],
  place,
  instruction,
  where,
  steps,
  evidence,
  mistakes,
  innocent,
}: Explanation): string {
  const lines = [
    ...wrap(`why: ${title}`, WIDTH, '     '),
    '',
    `  ${cpu === undefined ? '' : `CPU ${cpu} `}at ${place}  ${instruction ?? '(no instruction can be fetched)'}`,
  ];
  if (where !== undefined) lines.push(`     ${where}`);
  lines.push('');
  for (const [n, { text, why }] of steps.entries()) {
    const number = steps.length === 1 ? '  ' : `  ${n + 1}. `;
    const indent = ' '.repeat(number.length);
    lines.push(...wrap(`${number}${text}${why === undefined ? '' : ':'}`, WIDTH, indent));
    if (why !== undefined) lines.push(...wrap(`${indent}${why}`, WIDTH, indent));
  }
  if (evidence.length > 0) {
    lines.push('', '  what the CPU looked at');
    for (const line of evidence) lines.push(...wrap(`    ${line}`, WIDTH + 2, '      '));
  }
  if (others.length > 0) lines.push('', '  the other CPUs', ...others.map((line) => `    ${line}`));
  if (mistakes.length > 0) {
    lines.push('', innocent ? '  what to do' : '  the likely mistake');
    for (const mistake of mistakes) lines.push(...wrap(`    ${mistake}`, WIDTH, '    '));
  }
  return lines.join('\n');
}
