import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as K from '../api/constants.js';
import { kvm_run as f } from '../api/layout.js';
import { exitReasonName, suberrorName } from '../api/names.js';
import { explainFailure } from './failure.js';

/** An empty `struct kvm_run`, filled by `fill`. */
function kvmRun(fill: (view: DataView) => void): DataView {
  const view = new DataView(new ArrayBuffer(f.sizeof));
  fill(view);
  return view;
}

describe('the report of a failure', () => {
  const explain = (reason: number, fill: (view: DataView) => void = () => {}) =>
    explainFailure(kvmRun(fill), reason);

  test('has the instruction’s bytes where KVM gives them', () => {
    const emulation = (ndata: number, flags: number, size: number) =>
      explain(K.KVM_EXIT_INTERNAL_ERROR, (view) => {
        view.setUint32(f['internal.suberror'], 1, true);
        view.setUint32(f['internal.ndata'], ndata, true);
        view.setUint32(f['emulation_failure.flags'], flags, true);
        view.setUint8(f['emulation_failure.insn_size'], size);
        for (let i = 0; i < 15; i++) view.setUint8(f['emulation_failure.insn_bytes'] + i, i + 1);
      });
    assert.deepEqual([...emulation(4, 1, 3).instruction!], [1, 2, 3]);
    assert.equal(emulation(4, 1, 200).instruction!.length, 15);
    assert.equal(emulation(0, 1, 3).instruction, undefined);
    assert.equal(emulation(4, 0, 3).instruction, undefined);
    assert.equal(emulation(4, 1, 0).instruction, undefined);
    assert.equal(emulation(4, 1, 3).name, 'KVM_INTERNAL_ERROR_EMULATION');
  });

  test('names other internal errors and shows their data', () => {
    const failure = explain(K.KVM_EXIT_INTERNAL_ERROR, (view) => {
      view.setUint32(f['internal.suberror'], 3, true);
      view.setUint32(f['internal.ndata'], 2, true);
      view.setBigUint64(f['internal.data'], 0x80000b0en, true);
      view.setBigUint64(f['internal.data'] + 8, 5n, true);
    });
    assert.equal(failure.name, 'KVM_INTERNAL_ERROR_DELIVERY_EV');
    assert.match(failure.message, /during the delivery of an event \(data 0x80000b0e, 0x5\)/);
    const unknown = explain(K.KVM_EXIT_INTERNAL_ERROR, (view) => {
      view.setUint32(f['internal.suberror'], 77, true);
      view.setUint32(f['internal.ndata'], 0xffffffff, true);
    });
    assert.equal(unknown.name, 'internal error 77');
  });

  test('explains the processor’s refusal', () => {
    const entry = (reason: bigint) =>
      explain(K.KVM_EXIT_FAIL_ENTRY, (view) =>
        view.setBigUint64(f['fail_entry.hardware_entry_failure_reason'], reason, true),
      ).message;
    // SDM 3C appendix C: 33 is an entry failure by invalid guest state, with bit 31 set.
    assert.match(entry(0x80000021n), /invalid guest state \(0x80000021\)/);
    assert.match(entry(0xffff_ffff_ffff_ffffn), /VMEXIT_INVALID/);
    assert.match(entry(7n), /hardware reason \(0x7\)/);
  });

  test('gives the number of an unknown reason', () => {
    assert.match(
      explain(K.KVM_EXIT_UNKNOWN, (view) => view.setBigUint64(f['hw.hardware_exit_reason'], 0x41n, true))
        .message,
      /0x41/,
    );
    assert.equal(explain(250).name, 'exit reason 250');
    assert.match(explain(250).message, /exit reason 250/);
  });

  test('explains each reason that has a name, and says what to do', () => {
    const own = ['IO', 'HLT', 'MMIO', 'IRQ_WINDOW_OPEN', 'INTR', 'SET_TPR', 'TPR_ACCESS', 'SYSTEM_EVENT'];
    // Reasons of other processors, or of an irqchip that is split between the kernel and its user.
    const elsewhere = ['WATCHDOG', 'EPR', 'IOAPIC_EOI', 'AP_RESET_HOLD'];
    const inWords = ['UNKNOWN', 'SHUTDOWN', 'FAIL_ENTRY', 'INTERNAL_ERROR'];
    for (const [name, reason] of Object.entries(K)) {
      const short = name.replace('KVM_EXIT_', '');
      if (!name.startsWith('KVM_EXIT_') || name.startsWith('KVM_EXIT_IO_')) continue;
      if ([...own, ...elsewhere, ...inWords].includes(short)) continue;
      const { message, hint } = explain(reason as number);
      assert.doesNotMatch(message, /newer than Terrarium/, name);
      assert.match(hint ?? '', /--engine soft/);
    }
  });

  test('mentions paging only where the guest may have turned it on without effect', () => {
    const hintOf = (lacks: boolean) =>
      explainFailure(
        kvmRun(() => {}),
        K.KVM_EXIT_SHUTDOWN,
        () => lacks,
      ).hint;
    assert.equal(hintOf(false), undefined);
    assert.match(hintOf(true)!, /CR0\.PG/);
  });
});

test('numbers have their names of <linux/kvm.h>', () => {
  assert.equal(exitReasonName(2), 'KVM_EXIT_IO');
  assert.equal(exitReasonName(0), 'KVM_EXIT_UNKNOWN');
  assert.equal(suberrorName(1), 'KVM_INTERNAL_ERROR_EMULATION');
});
