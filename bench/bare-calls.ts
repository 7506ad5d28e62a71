/**
 * The calls of `floor monitor`, made from Node directly: no machine, no checks, no objects. Its extra cost over C is
 * the kernel's work for a process with Node's threads and mappings; no monitor in Node can be cheaper.
 */
import * as ioctls from '../src/engine/kvm/api/ioctls.js';
import * as layout from '../src/engine/kvm/api/layout.js';
import { libc, MADV_DONTNEED, MADV_MERGEABLE, O_CLOEXEC, O_RDWR } from '../src/engine/kvm/api/libc.js';

const RAM = 16 * 1024 * 1024;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const TSS = 0xfffbd000;
const HLT = 0xf4;

/** Returns a function that makes and destroys one VM by its bare calls. */
export function bareLifecycle(): () => void {
  const c = libc();
  const kvm = c.open('/dev/kvm', O_RDWR | O_CLOEXEC, 0);
  const mapSize = c.ioctl(kvm, ioctls.KVM_GET_VCPU_MMAP_SIZE, 0);
  const ram = new Uint8Array(new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true }).buffer);
  const address = c.addressOf(ram);
  c.madvise(address, RAM, MADV_MERGEABLE);
  const slot = new BigUint64Array(layout.kvm_userspace_memory_region.sizeof / 8);
  slot[2] = BigInt(RAM);
  slot[3] = address;
  const cpuid = new Uint32Array(2 + 256 * (layout.kvm_cpuid_entry2.sizeof / 4));
  cpuid[0] = 256;
  c.ioctlPointer(kvm, ioctls.KVM_GET_SUPPORTED_CPUID, cpuid);
  const mask = new Uint8Array(layout.kvm_signal_mask.sizeof + 8);
  mask[0] = 8;
  const regs = new DataView(new ArrayBuffer(layout.kvm_regs.sizeof));
  const sregs = new DataView(new ArrayBuffer(layout.kvm_sregs.sizeof));
  return () => {
    const vm = c.ioctl(kvm, ioctls.KVM_CREATE_VM, 0);
    ram[0] = HLT;
    c.ioctlPointer(vm, ioctls.KVM_SET_USER_MEMORY_REGION, slot);
    const vcpu = c.ioctl(vm, ioctls.KVM_CREATE_VCPU, 0);
    const run = c.mmap(0, mapSize, PROT_READ_WRITE, MAP_SHARED, vcpu, 0);
    c.ioctlPointer(vcpu, ioctls.KVM_GET_SREGS, sregs);
    sregs.setBigUint64(layout.kvm_sregs.cs + layout.kvm_segment.base, 0n, true);
    sregs.setUint16(layout.kvm_sregs.cs + layout.kvm_segment.selector, 0, true);
    c.ioctlPointer(vcpu, ioctls.KVM_SET_SREGS, sregs);
    regs.setBigUint64(layout.kvm_regs.rip, 0n, true);
    regs.setBigUint64(layout.kvm_regs.rflags, 2n, true);
    c.ioctlPointer(vcpu, ioctls.KVM_SET_REGS, regs);
    c.ioctl(vm, ioctls.KVM_SET_TSS_ADDR, TSS);
    c.ioctlPointer(vcpu, ioctls.KVM_SET_SIGNAL_MASK, mask);
    c.ioctlPointer(vcpu, ioctls.KVM_SET_CPUID2, cpuid);
    if (c.ioctl(vcpu, ioctls.KVM_RUN, 0) !== 0) throw new Error(`KVM_RUN failed: errno ${c.errno()}`);
    c.ioctlPointer(vcpu, ioctls.KVM_GET_REGS, regs);
    c.ioctlPointer(vcpu, ioctls.KVM_GET_SREGS, sregs);
    c.munmap(BigInt(run), mapSize);
    c.close(vcpu);
    c.close(vm);
    c.madvise(address, RAM, MADV_DONTNEED);
  };
}
