import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { PAGE_SIZE } from '../../../memory/index.js';
import { ExitKind } from '../../contract/index.js';
import { asm, CODE, MEMORY, noKvm, realMode } from '../testing.js';
import { KVM_CAP_NR_VCPUS, KVM_CAP_USER_MEMORY } from './capabilities.js';
import * as K from './constants.js';
import type { CpuidEntry } from './cpuid.js';
import { callFailed, KvmError, openFailed } from './errors.js';
import { EventFd } from './eventfd.js';
import { Kvm } from './kvm.js';
import { kvm_regs, kvm_run } from './layout.js';
import { libc } from './libc.js';

const skip = noKvm();

describe('opening the KVM device', () => {
  const onLinux = process.platform === 'linux' ? false : 'Linux only';

  test('a missing file: the error names the module to load', { skip: onLinux }, () => {
    assert.throws(
      () => Kvm.open('/nonexistent/kvm'),
      (error: KvmError) => {
        assert.ok(error instanceof KvmError);
        assert.equal(error.code, 'ENOENT');
        assert.equal(error.call, 'open');
        assert.match(error.message, /^\/nonexistent\/kvm: ENOENT: .*modprobe kvm/);
        return true;
      },
    );
  });

  test('a device that is not KVM is named', { skip: onLinux }, () => {
    assert.throws(
      () => Kvm.open('/dev/null'),
      (error: KvmError) => {
        assert.equal(error.code, 'ENOTTY');
        assert.match(error.message, /\/dev\/null is not the KVM device: KVM_GET_API_VERSION: ENOTTY/);
        return true;
      },
    );
  });

  test('a folder is refused with its errno', { skip: onLinux }, () => {
    assert.throws(() => Kvm.open('/'), { code: 'EISDIR' });
  });

  test('a file without permission: the error says how to get it', { skip: onLinux }, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-kvm-'));
    try {
      const file = path.join(folder, 'kvm');
      writeFileSync(file, '', { mode: 0o600 });
      const said = openFailed(file, 13).message;
      assert.equal(
        said,
        `${file}: EACCES: allow yourself the device until the host restarts: sudo setfacl -m u:$USER:rw ${file}`,
      );
      if (process.getuid?.() === 0) return;
      chmodSync(file, 0);
      assert.throws(() => Kvm.open(file), { message: said });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('errors name the call and the errno', () => {
    const error = callFailed('KVM_CREATE_VM', 12);
    assert.equal(error.message, 'KVM_CREATE_VM: ENOMEM');
    assert.deepEqual([error.code, error.call, error.errno], ['ENOMEM', 'KVM_CREATE_VM', 12]);
    assert.match(error.hint ?? '', /out of memory/);
    // Where only the kernel's documentation explains an error, the hint names its place.
    assert.match(callFailed('KVM_SET_XCRS', 22).hint ?? '', /api\.rst .* KVM_SET_XCRS/);
    assert.match(callFailed('timer_settime', 22).hint ?? '', /man 2 timer_settime/);
  });
});

describe('the system handle', { skip }, () => {
  test('returns version, extensions, mapping size and CPUID', () => {
    using kvm = Kvm.open();
    assert.equal(kvm.apiVersion(), K.KVM_API_VERSION);
    assert.equal(kvm.checkExtension(KVM_CAP_USER_MEMORY), 1);
    assert.ok(kvm.capabilities().KVM_CAP_NR_VCPUS >= 1);
    assert.ok(kvm.vcpuMmapSize() >= kvm_run.sizeof);
    const leaf0 = kvm.supportedCpuid().find((found) => found.function === 0);
    assert.ok(leaf0 !== undefined && leaf0.eax >= 1);
    assert.ok(kvm.emulatedCpuid().length >= 0);
    // IA32_TIME_STAMP_COUNTER and IA32_SYSENTER_CS (SDM 4) are part of every guest's state.
    const msrs = kvm.msrIndexList();
    assert.ok(msrs.includes(0x10) && msrs.includes(0x174));
    assert.ok(kvm.msrFeatureIndexList().length >= 0);
  });
});

describe('a VM', { skip }, () => {
  test('reports its own extensions', () => {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    assert.ok(vm.checkExtension(KVM_CAP_NR_VCPUS) >= 1);
  });

  test('refuses overlapping slots and duplicate vCPUs with the ioctl’s name', () => {
    using machine = realMode(asm.hlt);
    const { handle: vm } = machine.vm;
    const hostAddress = libc().addressOf(new Uint8Array(machine.memory.buffer));
    assert.throws(() => vm.setMemoryRegion({ slot: 9, address: 0, size: PAGE_SIZE, hostAddress }), {
      code: 'EEXIST',
      call: 'KVM_SET_USER_MEMORY_REGION',
    });
    assert.throws(() => vm.setMemoryRegion({ slot: 9, address: 1, size: PAGE_SIZE, hostAddress }), {
      code: 'EINVAL',
      call: 'KVM_SET_USER_MEMORY_REGION',
    });
    assert.throws(() => vm.createVcpu(0), { code: 'EEXIST', call: 'KVM_CREATE_VCPU' });
  });

  test('logs the pages that the guest writes, and clears the log at each read', () => {
    using machine = realMode([...asm.movAx(7), ...asm.storeAx(0x3000), ...asm.storeAx(0x9ffe), ...asm.hlt], {
      logDirty: true,
    });
    machine.vm.handle.dirtyLog(0, MEMORY);
    assert.equal(machine.cpu.run(), ExitKind.halt);
    const pages = (bitmap: Uint8Array) =>
      Array.from({ length: MEMORY / PAGE_SIZE }, (_, page) => page).filter(
        (page) => (bitmap[page >> 3]! >> (page & 7)) & 1,
      );
    const dirty = pages(machine.vm.handle.dirtyLog(0, MEMORY));
    assert.ok(dirty.includes(3) && dirty.includes(9), `dirty: ${dirty}`);
    assert.ok(!dirty.includes(5));
    assert.deepEqual(pages(machine.vm.handle.dirtyLog(0, MEMORY)), []);
    assert.throws(() => machine.vm.handle.dirtyLog(7, MEMORY), { code: 'ENOENT' });
  });

  test('signals an eventfd for a port write, without an exit', () => {
    using event = EventFd.create();
    using matched = EventFd.create();
    using machine = realMode([
      ...asm.movAl(5),
      ...asm.outAl(0x70),
      ...asm.outAl(0x70),
      ...asm.outAl(0x71),
      ...asm.movAl(6),
      ...asm.outAl(0x71),
      ...asm.hlt,
    ]);
    const any = { fd: event.fd, space: 'port', address: 0x70, length: 1 } as const;
    const five = { fd: matched.fd, space: 'port', address: 0x71, length: 1, match: 5n } as const;
    machine.vm.handle.addIoEvent(any);
    machine.vm.handle.addIoEvent(five);
    assert.equal(machine.cpu.run(), ExitKind.io);
    assert.equal(machine.cpu.exit.address, 0x71);
    assert.equal(machine.cpu.exit.data.getUint8(machine.cpu.exit.offset), 6);
    assert.equal(event.take(), 2n);
    assert.equal(event.take(), 0n);
    assert.equal(matched.take(), 1n);
    machine.vm.handle.removeIoEvent(any);
    machine.vm.handle.removeIoEvent(five);
    assert.throws(() => machine.vm.handle.removeIoEvent(five), { code: 'ENOENT', call: 'KVM_IOEVENTFD' });
  });

  test('reads and sets its clock', () => {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    vm.setClock(5_000_000_000n);
    const { clock } = vm.getClock();
    assert.ok(clock >= 5_000_000_000n && clock < 15_000_000_000n, String(clock));
  });

  test('has counters', () => {
    using machine = realMode([...asm.outAl(1), ...asm.outAl(1), ...asm.hlt]);
    using vmStats = machine.vm.handle.openStats();
    using cpuStats = machine.cpu.handle.openStats();
    while (machine.cpu.run() !== ExitKind.halt);
    assert.match(vmStats.id(), /^kvm-/);
    const all = cpuStats.read();
    const exits = all.find(({ name }) => name === 'exits');
    assert.deepEqual([exits?.kind, exits?.unit, exits?.values.length], ['cumulative', 'none', 1]);
    assert.ok(cpuStats.counters().exits! >= 1);
    assert.ok(all.some(({ kind, values }) => kind === 'logHistogram' && values.length > 1));
    assert.ok(all.some(({ unit, base, exponent }) => unit === 'seconds' && base === 10 && exponent === -9));
    assert.ok(vmStats.read().length > 4);
  });
});

describe('the interrupt controllers inside KVM', { skip }, () => {
  /** STI; HLT; then a spin. IRQ n of the first PIC is vector 8 + n (SDM has none; IBM PC/AT). */
  const waiting = (irq: number) => {
    const machine = realMode([...asm.sti, ...asm.hlt, ...asm.outAl(0x51), ...asm.spin], {
      prepare: (vm) => {
        vm.handle.createIrqChip();
        vm.handle.createPit();
      },
    });
    const { handle: vm } = machine.vm;
    // Vectors from 8, all unmasked, as after ICW1 to ICW4.
    vm.setIrqChip('picMaster', { ...vm.getIrqChip('picMaster'), irqBase: 8, imr: 0, init4: 1 });
    machine.memory.write16((8 + irq) * 4, 0x3000);
    machine.memory.writeBytes(0x3000, Uint8Array.from([...asm.movAl(irq), ...asm.outAl(0x50), ...asm.iret]));
    // The PIC's interrupts reach the CPU through the local APIC's LINT0 as ExtINT (SDM 3A 11.5.1).
    const lapic = machine.cpu.handle.getLapic();
    const registers = new DataView(lapic.buffer);
    registers.setUint32(0x350, 0x700, true);
    registers.setUint32(0xf0, 0x1ff, true);
    machine.cpu.handle.setLapic(lapic);
    return machine;
  };

  test('return the state that was set', () => {
    using machine = waiting(4);
    const { handle: vm } = machine.vm;
    assert.equal(vm.getIrqChip('picMaster').irqBase, 8);
    const ioapic = vm.getIrqChip('ioapic');
    assert.equal(ioapic.redirection.length, K.KVM_IOAPIC_NUM_PINS);
    assert.equal(ioapic.baseAddress, 0xfec00000n);
    ioapic.redirection[5] = 0x1_0031n;
    vm.setIrqChip('ioapic', ioapic);
    assert.equal(vm.getIrqChip('ioapic').redirection[5], 0x1_0031n);
    const pit = vm.getPit();
    pit.channels[2] = { ...pit.channels[2], count: 1000, mode: 3 };
    vm.setPit(pit);
    assert.deepEqual([vm.getPit().channels[2].count, vm.getPit().channels[2].mode], [1000, 3]);
  });

  test('wake a halted CPU by an interrupt line', () => {
    using machine = waiting(4);
    machine.vm.handle.irqLine(4, true);
    assert.equal(machine.cpu.run(), ExitKind.io);
    assert.equal(machine.cpu.exit.address, 0x50);
    assert.equal(machine.cpu.exit.data.getUint8(machine.cpu.exit.offset), 4);
    machine.vm.handle.irqLine(4, false);
    assert.equal(machine.cpu.run(), ExitKind.io);
    assert.equal(machine.cpu.exit.address, 0x51);
  });

  test('take interrupts from an eventfd', () => {
    using machine = waiting(3);
    using event = EventFd.create();
    machine.vm.handle.addIrqEvent(event.fd, 3);
    event.signal();
    assert.equal(machine.cpu.run(), ExitKind.io);
    assert.equal(machine.cpu.exit.data.getUint8(machine.cpu.exit.offset), 3);
    machine.vm.handle.removeIrqEvent(event.fd, 3);
  });

  test('deliver message-signalled interrupts', () => {
    using machine = waiting(4);
    machine.memory.write16(0x44 * 4, 0x3000);
    // Fixed delivery of vector 0x44 to APIC 0 (SDM 3A 11.11).
    assert.equal(machine.vm.handle.signalMsi(0xfee00000n, 0x44), true);
    assert.equal(machine.cpu.run(), ExitKind.io);
    assert.equal(machine.cpu.exit.address, 0x50);
  });

  test('return the state of a vCPU that halts', () => {
    using machine = waiting(4);
    assert.equal(machine.cpu.handle.getMpState(), K.KVM_MP_STATE_RUNNABLE);
    machine.cpu.handle.setMpState(K.KVM_MP_STATE_HALTED);
    assert.equal(machine.cpu.handle.getMpState(), K.KVM_MP_STATE_HALTED);
  });
});

describe('a vCPU', { skip }, () => {
  test('returns every register that was set', () => {
    using machine = realMode(asm.hlt);
    const { handle: vcpu } = machine.cpu;
    const registers = vcpu.getRegisters();
    let value = 0x0123456789abcdefn;
    for (const name of Object.keys(registers) as (keyof typeof registers)[]) {
      if (name !== 'rflags') registers[name] = value++;
    }
    registers.rflags = 0x202n;
    vcpu.setRegisters(registers);
    assert.deepEqual(vcpu.getRegisters(), registers);
    const system = vcpu.getSystemRegisters();
    system.gs = { ...system.gs, selector: 0x1230, base: 0x12300n, limit: 0xfffe };
    system.gdt = { base: 0x5000n, limit: 0x37 };
    system.idt = { base: 0x6000n, limit: 0x7ff };
    system.cr2 = 0xdeadn;
    vcpu.setSystemRegisters(system);
    assert.deepEqual(vcpu.getSystemRegisters(), system);
  });

  test('returns the floating point, extended state, MSRs, events and debug registers that were set', () => {
    using machine = realMode(asm.hlt);
    const { handle: vcpu } = machine.cpu;
    const fpu = vcpu.getFpu();
    fpu.fcw = 0x27f;
    fpu.xmm.fill(0xa5, 16, 32);
    vcpu.setFpu(fpu);
    assert.deepEqual(vcpu.getFpu(), fpu);
    const xsave = vcpu.getXsave();
    assert.ok(xsave.length >= 4096);
    // The legacy area has FCW at 0 and XMM1 at 176; bits 0 and 1 at 512 say that x87 and SSE are in use (SDM 1 13.4).
    xsave.set([0x7f, 0x02], 0);
    xsave[176] = 0x5a;
    xsave[512]! |= 3;
    vcpu.setXsave(xsave);
    assert.equal(vcpu.getFpu().fcw, 0x27f);
    assert.equal(vcpu.getFpu().xmm[16], 0x5a);
    assert.deepEqual(vcpu.getXsave(), xsave);
    assert.throws(() => vcpu.setXsave(new Uint8Array(16)), { code: 'EINVAL' });
    const [xcr0] = vcpu.getXcrs();
    assert.equal(xcr0?.number, 0);
    assert.equal(xcr0!.value & 1n, 1n);
    vcpu.setXcrs(vcpu.getXcrs());
    // IA32_SYSENTER_EIP
    vcpu.setMsr(0x176, 0x1234567n);
    assert.equal(vcpu.getMsr(0x176), 0x1234567n);
    assert.throws(() => vcpu.getMsr(0x12345678), { code: 'EMSR' });
    const events = vcpu.getEvents();
    assert.equal(events.exceptionInjected, false);
    vcpu.setEvents({ ...events, nmiMasked: true, flags: K.KVM_VCPUEVENT_VALID_NMI_PENDING });
    assert.equal(vcpu.getEvents().nmiMasked, true);
    const debug = vcpu.getDebugRegisters();
    vcpu.setDebugRegisters({ ...debug, db0: 0x1000n, db3: 0x4000n });
    assert.deepEqual(vcpu.getDebugRegisters(), { ...debug, db0: 0x1000n, db3: 0x4000n });
  });

  test('shows the guest the CPUID that was set, and its clock rate', () => {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    using vcpu = vm.createVcpu();
    const entries = kvm.supportedCpuid();
    vcpu.setCpuid(entries);
    const vendor = (leaves: readonly CpuidEntry[]) => leaves.find((leaf) => leaf.function === 0);
    assert.deepEqual(vendor(vcpu.getCpuid()), vendor(entries));
    assert.ok(vcpu.tscKhz() > 100_000);
  });

  test('steps and stops at breakpoints', () => {
    using machine = realMode([...asm.nop, ...asm.nop, ...asm.nop, ...asm.nop, ...asm.hlt]);
    const { cpu } = machine;
    cpu.handle.setGuestDebug({ singleStep: true });
    for (const rip of [CODE + 1, CODE + 2]) {
      assert.equal(cpu.run(), ExitKind.debug);
      assert.equal(cpu.exit.ripLow, rip);
    }
    cpu.handle.setGuestDebug({ breakpoints: [BigInt(CODE + 4)] });
    assert.equal(cpu.run(), ExitKind.debug);
    assert.equal(cpu.exit.ripLow, CODE + 4);
    cpu.handle.setGuestDebug({});
    assert.equal(cpu.run(), ExitKind.halt);
    assert.throws(() => cpu.handle.setGuestDebug({ breakpoints: [1n, 2n, 3n, 4n, 5n] }), { code: 'EINVAL' });
  });

  test('translates linear addresses to equal physical ones without paging', () => {
    using machine = realMode(asm.hlt);
    const found = machine.cpu.handle.translate(0x1234n);
    assert.deepEqual([found.physicalAddress, found.valid], [0x1234n, true]);
  });

  test('can be run by hand through its mapping', () => {
    using machine = realMode([...asm.inAl(0x42), ...asm.hlt]);
    const { handle: vcpu } = machine.cpu;
    assert.equal(vcpu.run(), K.KVM_EXIT_IO);
    const io = vcpu.readRun(kvm_run['io.direction'], 16);
    assert.equal(io.getUint16(2, true), 0x42);
    vcpu.writeRun(Number(io.getBigUint64(8, true)), Uint8Array.of(0x17));
    assert.equal(vcpu.run(), K.KVM_EXIT_HLT);
    const rax = vcpu.readRun(kvm_run['s.regs'] + kvm_regs.rax, 8).getBigUint64(0, true);
    assert.equal(rax & 0xffn, 0x17n);
    assert.throws(() => vcpu.readRun(-1, 4), { code: 'ERANGE' });
    assert.throws(() => vcpu.readRun(0, 1 << 20), { code: 'ERANGE' });
    assert.throws(() => vcpu.writeRun(12287, new Uint8Array(2)), { code: 'ERANGE' });
  });
});
