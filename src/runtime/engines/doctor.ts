/**
 * Can this host run guests? Checks everything that KVM needs, but only one check decides: opening the device and running a
 * guest. CPU flags lie (a nested or a software KVM shows none and works), and so do module lists.
 *
 * @module
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { parseImage } from '../../boot/index.js';
import type { Engine } from '../../engine/contract/index.js';
import { type CapabilityName, EngineLimit, Kvm, KvmEngine, kvmEngine } from '../../engine/kvm/index.js';
import { TerrariumError } from '../../errors.js';
import { Machine } from '../../machine/index.js';
import { findDriver, findProgram, INSTALL_COMPILER } from '../images/tools.js';
import { engineByName } from './engines.js';

/** The result of a check: `fail` means that no guest runs, `warn` that something is missing, `info` is only information. */
export type CheckStatus = 'ok' | 'info' | 'warn' | 'fail';

export interface Check {
  name: string;
  status: CheckStatus;
  /** What was found. */
  found: string;
  /** The consequences, and what to do. */
  advice?: string;
}

export interface Diagnosis {
  /** True if a guest ran on KVM. */
  usable: boolean;
  /** The engine of `--engine auto` on this host; null where there is none. */
  auto: 'kvm' | 'soft' | null;
  checks: Check[];
}

/** The capabilities that matter, and the consequences without them. */
const capabilityCosts: Partial<Record<CapabilityName, string>> = {
  KVM_CAP_USER_MEMORY: 'guest memory cannot be mapped: no guest runs',
  KVM_CAP_SYNC_REGS: 'each exit that shows registers costs one more ioctl',
  KVM_CAP_COALESCED_MMIO: 'writes to memory devices cannot be coalesced: each is an exit',
  KVM_CAP_COALESCED_PIO: 'console bytes cannot be coalesced: each is an exit, some five times slower',
  KVM_CAP_IMMEDIATE_EXIT: 'a pending exit cannot be completed without running the guest',
  KVM_CAP_READONLY_MEM: 'read-only memory regions do not work',
  KVM_CAP_IRQCHIP: 'no interrupt controller in the kernel',
  KVM_CAP_PIT2: 'no timer in the kernel',
  KVM_CAP_IRQFD: 'interrupts from other threads must go through the machine’s thread',
  KVM_CAP_IOEVENTFD: 'a guest’s notifications always cause exits',
  KVM_CAP_SET_GUEST_DEBUG: 'no single steps and no breakpoints',
  KVM_CAP_VCPU_EVENTS: 'pending exceptions and interrupts cannot be saved',
  KVM_CAP_BINARY_STATS_FD: 'no kernel counters in addition to the monitor’s own',
};

/** Checks this host. Never throws: an error is a failed check. */
export function diagnose(device = '/dev/kvm'): Diagnosis {
  // Other systems have no KVM.
  const { usable, checks } = hasLinux() ? diagnoseKvm(device) : { usable: false, checks: [checkPlatform()] };
  const soft = checkSoft();
  const auto = usable ? 'kvm' : soft.status === 'ok' ? 'soft' : null;
  if (auto === 'soft') checks.push(differences);
  checks.push(...checkTools(), soft, {
    name: 'engine auto',
    status: auto === null ? 'fail' : 'info',
    found: autoWords(auto),
  });
  return { usable, auto, checks };
}

function autoWords(auto: Diagnosis['auto']): string {
  if (auto === null) return 'uses neither: no guest runs on this host';
  return auto === 'kvm' ? 'uses KVM' : 'uses the software CPU';
}

function diagnoseKvm(device: string): Pick<Diagnosis, 'usable' | 'checks'> {
  const checks = [checkPlatform(), checkCpuFlags(), checkModules(), checkNode(device)];
  const opened = attempt(() => Kvm.open(device));
  if ('error' in opened) {
    checks.push(failure('opening the device', opened.error));
    return { usable: false, checks };
  }
  const { value: kvm } = opened;
  try {
    checks.push(
      { name: 'KVM API', status: 'ok', found: `version ${kvm.apiVersion()}` },
      checkCapabilities(kvm),
    );
  } finally {
    kvm[Symbol.dispose]();
  }
  const guest = checkGuest(new KvmEngine({ path: device }), 'a guest of two instructions');
  checks.push(guest, checkPaging());
  return { usable: guest.status === 'ok', checks };
}

const hasLinux = () => process.platform === 'linux' && process.arch === 'x64';

function checkPlatform(): Check {
  const { platform, arch } = process;
  return {
    name: 'platform',
    status: hasLinux() ? 'ok' : 'info',
    found: `${platform} on ${arch}, Node ${process.versions.node}`,
    ...(!hasLinux() && { advice: platformAdvice[platform] ?? 'KVM is a part of Linux on x86-64' }),
  };
}

const platformAdvice: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'KVM is a part of Linux; the software CPU works on macOS',
  win32:
    'KVM is a part of Linux: WSL2 has it where nested virtualization is on; the software CPU works on Windows',
  linux: 'this processor is not x86-64, and KVM runs x86 guests only there',
};

/** The differences without KVM. */
const differences: Check = {
  name: 'without KVM',
  status: 'info',
  found:
    'guests run on the software CPU, with everything but --irqchip kernel or split and the kernel’s own counters',
  advice:
    'time is the count of instructions, so that runs repeat exactly, and sleeps take no real time; --clock wall, or --screen, makes it wall-clock time',
};

/** The tools that compile and debug sources. */
function checkTools(): Check[] {
  const rows: [name: string, program: () => string | undefined, cost: string][] = [
    ['C and assembler', compilerHere, `sources cannot be compiled; ${INSTALL_COMPILER}`],
    ['gdb', () => findProgram('gdb'), 'run --gdb needs one; the debugger in the terminal does not'],
    ['make', () => findProgram('make'), 'new kernels have a Makefile; you can also type its commands'],
  ];
  return rows.map(([name, find, advice]) => {
    const found = find();
    return found === undefined
      ? { name, status: 'warn', found: 'not found', advice }
      : { name, status: 'ok', found };
  });
}

function compilerHere(): string | undefined {
  try {
    return findDriver().command.join(' ');
  } catch {
    return undefined;
  }
}

function checkCpuFlags(): Check {
  const flags =
    readText('/proc/cpuinfo')
      ?.match(/^flags\s*:(.*)$/m)?.[1]
      ?.split(' ') ?? [];
  const found = ['vmx', 'svm'].filter((flag) => flags.includes(flag));
  if (found.length > 0) return { name: 'CPU flags', status: 'ok', found: found.join(', ') };
  return {
    name: 'CPU flags',
    status: 'info',
    found: 'neither vmx nor svm',
    advice:
      'usual in a virtual machine; if no guest runs below, switch on virtualization in the firmware (VT-x, AMD-V, SVM) or nested virtualization on the host above',
  };
}

function checkModules(): Check {
  const modules = readText('/proc/modules')?.match(/^kvm\w*/gm) ?? [];
  if (modules.length > 0) return { name: 'modules', status: 'ok', found: modules.join(', ') };
  return {
    name: 'modules',
    status: 'info',
    found: 'none named kvm',
    advice: 'it may be built into the kernel',
  };
}

function checkNode(device: string): Check {
  const name = `device ${device}`;
  try {
    const { mode, uid, gid } = statSync(device);
    const groups = readText('/etc/group') ?? '';
    const group = groups.match(new RegExp(`^([^:]+):[^:]*:${gid}:`, 'm'))?.[1] ?? String(gid);
    const mine = process.getgroups?.().includes(gid) ? 'you are a member' : 'you are not a member';
    const found = `mode ${(mode & 0o777).toString(8).padStart(3, '0')}, owner ${uid}, group ${group} (${mine})`;
    accessSync(device, constants.R_OK | constants.W_OK);
    return { name, status: 'ok', found };
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    // How to get access is reported where opening it fails.
    if (code === 'EACCES') return { name, status: 'fail', found: code };
    const advice =
      'load the module: sudo modprobe kvm_intel (or kvm_amd); in a container, pass --device /dev/kvm';
    return { name, status: 'fail', found: code, advice };
  }
}

function checkCapabilities(kvm: Kvm): Check {
  const has = kvm.capabilities();
  const missing = Object.entries(capabilityCosts).filter(([name]) => has[name as CapabilityName] === 0);
  const total = Object.keys(capabilityCosts).length;
  if (missing.length === 0) return { name: 'capabilities', status: 'ok', found: `all ${total} that matter` };
  return {
    name: 'capabilities',
    status: 'warn',
    found: `${total - missing.length} of the ${total} that matter`,
    advice: missing.map(([name, cost]) => `${name} is missing: ${cost}`).join('; '),
  };
}

/** The deciding guest: mov $42,%al; hlt. */
function checkGuest(engine: Engine, name: string): Check {
  const ran = attempt(() => {
    const image = parseImage(new Uint8Array([0xb0, 42, 0xf4]), 'two instructions');
    using machine = new Machine({ engine, image, mode: 'real', memory: 65536 });
    return machine.run({ timeoutMs: 2000 });
  });
  if ('error' in ran) return failure(name, ran.error);
  const { kind, reason, registers, elapsedMs } = ran.value;
  if (kind === 'halted' && (registers.rax & 0xffn) === 42n) {
    return { name, status: 'ok', found: `ran and halted in ${elapsedMs.toFixed(2)} ms` };
  }
  return {
    name,
    status: 'fail',
    found: reason,
    ...(engine.capabilities.hostKernel && {
      advice: 'the kernel’s log may say more: sudo dmesg | grep -i kvm',
    }),
  };
}

/** The same guest on the software CPU, which needs nothing from this host. */
function checkSoft(): Check {
  const name = 'the software CPU';
  const loaded = attempt(() => engineByName('soft'));
  return 'error' in loaded ? failure(name, loaded.error) : checkGuest(loaded.value, name);
}

/** 32-bit paging, which some hosts without VMX and SVM cannot do. */
function checkPaging(): Check {
  const name = '32-bit paging';
  const ran = attempt(() => {
    const image = parseImage(new Uint8Array([0xf4]), 'one instruction');
    using machine = new Machine({ engine: kvmEngine(), image, mode: 'paged', memory: 1024 * 1024 });
    return machine.run({ timeoutMs: 2000 });
  });
  if (!('error' in ran)) return { name, status: 'ok', found: 'works' };
  if (!(ran.error instanceof EngineLimit)) return failure(name, ran.error);
  return {
    name,
    status: 'warn',
    found: 'refused',
    advice: 'guests that start with it run on the software CPU',
  };
}

function failure(name: string, error: unknown): Check {
  const hint = error instanceof TerrariumError ? error.hint : undefined;
  const found = error instanceof Error ? error.message : String(error);
  return {
    name,
    status: 'fail',
    found,
    ...(hint !== undefined && !found.includes(hint) && { advice: hint }),
  };
}

function attempt<T>(action: () => T): { value: T } | { error: unknown } {
  try {
    return { value: action() };
  } catch (error) {
    return { error };
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
