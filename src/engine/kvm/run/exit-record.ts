/**
 * Converts an exit from `struct kvm_run` and the coalesced ring into the contract's record (KVM API 5). This runs at each exit:
 * it reads words of the mapping, and allocates nothing.
 *
 * @module
 */
import { type Exit, ExitKind } from '../../contract/index.js';
import * as K from '../api/constants.js';
import { kvm_coalesced_mmio as entry, kvm_regs, kvm_run } from '../api/layout.js';
import { entryOffset } from './coalesced.js';

/** The contract's kind for each of KVM's reasons, by number; 0 where the reason is not listed. */
const kinds = new Uint8Array(256);
kinds[K.KVM_EXIT_IO] = ExitKind.io;
kinds[K.KVM_EXIT_MMIO] = ExitKind.mmio;
kinds[K.KVM_EXIT_HLT] = ExitKind.halt;
kinds[K.KVM_EXIT_SHUTDOWN] = ExitKind.shutdown;
kinds[K.KVM_EXIT_INTR] = ExitKind.interrupted;
kinds[K.KVM_EXIT_DEBUG] = ExitKind.debug;
kinds[K.KVM_EXIT_IRQ_WINDOW_OPEN] = ExitKind.interruptWindow;
kinds[K.KVM_EXIT_FAIL_ENTRY] = ExitKind.failEntry;
kinds[K.KVM_EXIT_INTERNAL_ERROR] = ExitKind.internalError;
kinds[K.KVM_EXIT_TPR_ACCESS] = ExitKind.tprAccess;
kinds[K.KVM_EXIT_SYSTEM_EVENT] = ExitKind.systemEvent;
kinds[K.KVM_EXIT_IOAPIC_EOI] = ExitKind.endOfInterrupt;

// Positions in the mapping, as 32-bit words.
/** KVM_EXIT_… */
export const REASON = kvm_run.exit_reason >> 2;
/** `io.direction`, `size` and `port` share a word. */
const IO = kvm_run['io.direction'] >> 2;
const IO_COUNT = kvm_run['io.count'] >> 2;
const IO_DATA = kvm_run['io.data_offset'] >> 2;
const MMIO_ADDRESS = kvm_run['mmio.phys_addr'] >> 2;
const MMIO_LENGTH = kvm_run['mmio.len'] >> 2;
/** `mmio.is_write` is the low byte of its word; the bytes after it are padding. */
const MMIO_WRITE = kvm_run['mmio.is_write'] >> 2;
const RIP = (kvm_run['s.regs'] + kvm_regs.rip) >> 2;
/** A byte; the bytes after it are padding. */
const EOI_VECTOR = kvm_run['eoi.vector'] >> 2;
const TPR_RIP = kvm_run['tpr_access.rip'] >> 2;
const TPR_WRITE = kvm_run['tpr_access.is_write'] >> 2;
const HIGH = 0x1_0000_0000;

/** The kind of exit that the mapping shows. */
export function exitKind(words: Uint32Array): ExitKind {
  const reason = words[REASON]!;
  return (reason < kinds.length && kinds[reason]! !== 0 ? kinds[reason]! : ExitKind.unknown) as ExitKind;
}

/** The exit that the mapping shows, or an interruption, which the mapping does not show. */
export function showExit(exit: Exit, kind: ExitKind, words: Uint32Array): void {
  exit.kind = kind;
  exit.coalesced = false;
  exit.reason = kind === ExitKind.interrupted ? K.KVM_EXIT_INTR : words[REASON]!;
  exit.ripLow = words[RIP]!;
  exit.ripHigh = words[RIP + 1]!;
  if (kind === ExitKind.io) {
    const io = words[IO]!;
    exit.address = io >>> 16;
    exit.size = (io >>> 8) & 0xff;
    exit.write = (io & 0xff) === K.KVM_EXIT_IO_OUT;
    exit.count = words[IO_COUNT]!;
    exit.offset = words[IO_DATA]!;
  } else if (kind === ExitKind.mmio) {
    exit.address = words[MMIO_ADDRESS]! + words[MMIO_ADDRESS + 1]! * HIGH;
    exit.size = words[MMIO_LENGTH]!;
    exit.write = (words[MMIO_WRITE]! & 0xff) !== 0;
    exit.count = 1;
    exit.offset = kvm_run['mmio.data'];
  } else {
    exit.address = kind === ExitKind.endOfInterrupt ? words[EOI_VECTOR]! & 0xff : 0;
    exit.size = 0;
    exit.count = 0;
    exit.write = false;
    if (kind === ExitKind.tprAccess) showTprAccess(exit, words);
  }
}

/** KVM gives the address of the instruction that made the access, which need not be the current RIP. */
function showTprAccess(exit: Exit, words: Uint32Array): void {
  exit.write = words[TPR_WRITE] !== 0;
  exit.ripLow = words[TPR_RIP]!;
  exit.ripHigh = words[TPR_RIP + 1]!;
}

/** Entry `index` of the coalesced ring: a write that the guest made before the exit. */
export function showCoalesced(exit: Exit, index: number, words: Uint32Array): void {
  const at = entryOffset(index);
  const port = words[(at + entry.pio) >> 2] !== 0;
  exit.kind = port ? ExitKind.io : ExitKind.mmio;
  exit.reason = port ? K.KVM_EXIT_IO : K.KVM_EXIT_MMIO;
  exit.coalesced = true;
  exit.write = true;
  exit.address = words[at >> 2]! + words[(at >> 2) + 1]! * HIGH;
  exit.size = words[(at + entry.len) >> 2]!;
  exit.count = 1;
  exit.offset = at + entry.data;
  exit.ripLow = 0;
  exit.ripHigh = 0;
}
