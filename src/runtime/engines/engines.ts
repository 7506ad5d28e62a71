import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ImageKind } from '../../boot/index.js';
import { command } from '../../command.js';
import { type EngineName, engineNames, type MachineSpec, translateModes } from '../../config/index.js';
import { assisted, dryRun } from '../../engine/assist/index.js';
import type { DryRun, Engine, EngineCpu } from '../../engine/contract/index.js';
import { constants, has32BitPaging, KvmEngine, KvmError } from '../../engine/kvm/index.js';
import {
  cpuFeatures,
  cpuidModel,
  type SoftEngine,
  softEngine,
  type TranslateMode,
} from '../../engine/soft/index.js';
import { ConfigError, TerrariumError } from '../../errors.js';
import type { GuestMemory } from '../../memory/index.js';
import type { CpuVendor } from '../../x86/index.js';
import { hostCpuVendor } from './cpu-vendor.js';

/** Kicks a CPU out of the host's kernel, from any thread, as `Engine.kick` does. */
export function kickKernel(control: Int32Array): void {
  new KvmEngine().kick(control);
}

/** The parts of a machine's description that the choice of its engine depends on. */
export interface EngineRequirements
  extends Pick<MachineSpec, 'mode' | 'clock' | 'assist' | 'translate' | 'cpuVendor' | 'cpus'> {
  /** What the image is. */
  kind?: ImageKind;
  /** KVM's device file. Default `/dev/kvm`. */
  device?: string;
}

/** An engine, and the reason for its choice where that needs an explanation. */
export interface EngineChoice {
  readonly engine: Engine;
  /** Why `auto` did not choose KVM: a phrase for messages. */
  readonly because?: string;
}

const wasm = () => fileURLToPath(new URL('dist/soft.wasm', import.meta.resolve('#package')));
let program: WebAssembly.Module | undefined;
/** Software engines by their translate mode and CPU vendor. */
const softEngines = new Map<string, SoftEngine>();

/** The default translate mode of the software CPU, which the environment may set. */
function defaultTranslate(): TranslateMode {
  const named = process.env.TERRARIUM_TRANSLATE;
  if (named === undefined) return 'on';
  const mode = translateModes.find((known) => known === named);
  if (mode !== undefined) return mode;
  throw new ConfigError(
    `TERRARIUM_TRANSLATE is '${named}'`,
    `set it to ${translateModes.join(', ')}, or unset it`,
  );
}

/** The software CPU's program, loaded from the package's dist/ on first use. */
function loadProgram(): WebAssembly.Module {
  if (program !== undefined) return program;
  if (!existsSync(wasm())) throw new ConfigError('the software CPU is not built', 'build it: npm run build');
  program = new WebAssembly.Module(readFileSync(wasm()));
  return program;
}

const translated = (mode: TranslateMode) => ({ mode, bytes: () => readFileSync(wasm()) });

function loadSoftEngine({
  translate = defaultTranslate(),
  cpuVendor = 'intel',
}: EngineRequirements = {}): SoftEngine {
  const key = `${translate} ${cpuVendor}`;
  const loaded = softEngines.get(key);
  if (loaded !== undefined) return loaded;
  const engine = softEngine(loadProgram(), cpuidModel(cpuFeatures, cpuVendor), translated(translate));
  softEngines.set(key, engine);
  return engine;
}

const softIsMissing = () => program === undefined && !existsSync(wasm());

/**
 * Runs a CPU's next instruction on a copy of the memory, for any engine; undefined where that is not possible. Changes nothing.
 */
export function dryRunNext(cpu: EngineCpu, memory: GuestMemory): DryRun | undefined {
  if (softIsMissing()) return undefined;
  return dryRun(cpu, memory, loadSoftEngine());
}

/** The engine of that name; see `chooseEngine`. */
export function engineByName(name: EngineName = 'auto', required: EngineRequirements = {}): Engine {
  return chooseEngine(name, required).engine;
}

/** An engine that may be available on this host. */
interface Candidate {
  /** Why a machine cannot use it here: a phrase for messages. Undefined where it can. */
  whyNot(required: EngineRequirements): string | undefined;
  open(required: EngineRequirements): Engine;
}

/** In the order in which `auto` tries them. */
const candidates: Record<Exclude<EngineName, 'auto'>, Candidate> = {
  kvm: { whyNot: whyNotKvm, open: openKvm },
  soft: {
    whyNot: () => (softIsMissing() ? 'the software CPU is not built' : undefined),
    open: loadSoftEngine,
  },
};

/**
 * The engine of that name. `auto` uses the first that can run the guest on this host: KVM, else the software CPU.
 * @throws ConfigError for an unknown name; TerrariumError `ENOENGINE` where `auto` finds none
 */
export function chooseEngine(name: EngineName = 'auto', required: EngineRequirements = {}): EngineChoice {
  if (!engineNames.includes(name))
    throw new ConfigError(`there is no engine '${name}'`, `engines are ${engineNames.join(', ')}`);
  if (name !== 'auto') return { engine: candidates[name].open(required) };
  const reasons: string[] = [];
  for (const { whyNot, open } of Object.values(candidates)) {
    const reason = whyNot(required);
    if (reason !== undefined) reasons.push(reason);
    else return { engine: open(required), ...(reasons.length > 0 && { because: reasons.join(', and ') }) };
  }
  throw new TerrariumError('ENOENGINE', reasons.join(', and '), {
    hint: `build it: npm run build; what is missing for KVM on this host: ${command('doctor')}`,
  });
}

const helpers = new WeakMap<KvmEngine, SoftEngine>();

/** A software CPU that looks to its guests like KVM's: the same CPUID, and the features that depend on it. */
function helperFor(kvm: KvmEngine): SoftEngine {
  const known = helpers.get(kvm);
  if (known !== undefined) return known;
  const leaves = kvm.guestCpuid().map(({ function: leaf, index, flags, eax, ebx, ecx, edx }) => ({
    leaf,
    ...((flags & constants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX) !== 0 && { subleaf: index }),
    ...{ eax, ebx, ecx: leaf === 1 ? (ecx & ~OSXSAVE) >>> 0 : ecx, edx },
  }));
  // KVM without VMX or SVM gives a guest more of the host processor's features than it lists.
  const engine = softEngine(loadProgram(), leaves, translated(defaultTranslate()), cpuFeatures);
  helpers.set(kvm, engine);
  return engine;
}

/** CPUID leaf 1, ECX: it follows CR4. */
const OSXSAVE = 1 << 27;

/** KVM uses the host's processor: why it cannot be the other vendor's. Undefined where it is the requested one. */
function whyNotVendor(cpuVendor: CpuVendor | undefined): string | undefined {
  if (cpuVendor === undefined) return undefined;
  const host = hostCpuVendor();
  if (cpuVendor === host) return undefined;
  const names = { intel: 'an Intel', amd: 'an AMD' };
  const own = host === undefined ? 'another vendor’s' : names[host];
  return `KVM runs this host’s processor, ${own} (--cpu-vendor ${cpuVendor})`;
}

function openKvm({ device, assist = true, cpuVendor }: EngineRequirements): Engine {
  const other = whyNotVendor(cpuVendor);
  if (other !== undefined) throw new ConfigError(other, 'the software CPU can be either: --engine soft');
  const kvm = new KvmEngine({
    watchable: true,
    failuresLeave: assist,
    ...(device !== undefined && { path: device }),
  });
  return assist ? assisted(kvm, () => helperFor(kvm)) : kvm;
}

/** The KVM devices on which this thread has created a virtual machine. */
const proven = new Set<string>();

/** Kernels that mostly run their own code, and disks with boot loaders, which unpack the system that they start. */
const operatingSystems: ReadonlySet<ImageKind | undefined> = new Set([
  'linux',
  'linux16',
  'linux32',
  'linux64',
  'pvh',
  'floppy',
  'disk',
  'cdrom',
]);

function whyNotKvm({
  mode,
  clock,
  cpuVendor,
  cpus = 1,
  kind,
  device = '/dev/kvm',
}: EngineRequirements): string | undefined {
  // Their run could not be repeated, and on a KVM that emulates ring 0 nobody could step in for one of them.
  if (cpus > 1) return `several CPUs (--smp ${cpus}) run on KVM only where --engine kvm says so`;
  if (clock === 'instructions') return 'KVM does not count instructions (--clock instructions)';
  const otherVendor = whyNotVendor(cpuVendor);
  if (otherVendor !== undefined) return otherVendor;
  const kvm = new KvmEngine({ path: device });
  try {
    if ((mode === 'paged' || mode === 'pae') && !has32BitPaging(kvm.device)) {
      return `this host’s KVM cannot do 32-bit paging (--mode ${mode})`;
    }
    // A KVM without 32-bit paging has neither VMX nor SVM: it emulates ring 0, an instruction at a time.
    if (operatingSystems.has(kind) && !has32BitPaging(kvm.device))
      return 'this host’s KVM emulates a kernel’s own code one instruction at a time, slower than the software CPU';
    // A device that opens may still refuse to create a virtual machine.
    if (!proven.has(device)) kvm.device.createVm()[Symbol.dispose]();
    proven.add(device);
    return undefined;
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    return unusable(error, device);
  }
}

/** Short: `terrarium doctor` has the details. */
function unusable(error: KvmError, device: string): string {
  switch (error.code) {
    case 'ENOENT':
      return `there is no ${device} on this host`;
    case 'EACCES':
    case 'EPERM':
      return `${device} cannot be opened (${error.code}; ${command('doctor')} says what to do)`;
    case 'ENOKVM':
      return error.message;
    default:
      return `${device} does not work here (${error.message})`;
  }
}
