/**
 * KVM's ioctl numbers, by the names of <linux/kvm.h>. A number holds direction, size of the argument, and the call's own
 * type and number (asm-generic/ioctl.h).
 *
 * @module
 */
import * as layout from './layout.js';

const KVMIO = 0xae;
const WRITE = 1;
const READ = 2;

const encode = (direction: number, number: number, size: number) =>
  ((direction << 30) | (size << 16) | (KVMIO << 8) | number) >>> 0;
const _IO = (number: number) => encode(0, number, 0);
const _IOW = (number: number, size: number) => encode(WRITE, number, size);
const _IOR = (number: number, size: number) => encode(READ, number, size);
const _IOWR = (number: number, size: number) => encode(READ | WRITE, number, size);

// The device file.
export const KVM_GET_API_VERSION = _IO(0x00);
export const KVM_CREATE_VM = _IO(0x01);
export const KVM_GET_MSR_INDEX_LIST = _IOWR(0x02, layout.kvm_msr_list.sizeof);
export const KVM_CHECK_EXTENSION = _IO(0x03);
export const KVM_GET_VCPU_MMAP_SIZE = _IO(0x04);
export const KVM_GET_SUPPORTED_CPUID = _IOWR(0x05, layout.kvm_cpuid2.sizeof);
export const KVM_GET_EMULATED_CPUID = _IOWR(0x09, layout.kvm_cpuid2.sizeof);
export const KVM_GET_MSR_FEATURE_INDEX_LIST = _IOWR(0x0a, layout.kvm_msr_list.sizeof);

// A VM.
export const KVM_CREATE_VCPU = _IO(0x41);
export const KVM_GET_DIRTY_LOG = _IOW(0x42, layout.kvm_dirty_log.sizeof);
export const KVM_SET_USER_MEMORY_REGION = _IOW(0x46, layout.kvm_userspace_memory_region.sizeof);
export const KVM_SET_TSS_ADDR = _IO(0x47);
export const KVM_SET_IDENTITY_MAP_ADDR = _IOW(0x48, 8);
export const KVM_CREATE_IRQCHIP = _IO(0x60);
export const KVM_IRQ_LINE = _IOW(0x61, layout.kvm_irq_level.sizeof);
export const KVM_GET_IRQCHIP = _IOWR(0x62, layout.kvm_irqchip.sizeof);
export const KVM_SET_IRQCHIP = _IOR(0x63, layout.kvm_irqchip.sizeof);
export const KVM_REGISTER_COALESCED_MMIO = _IOW(0x67, layout.kvm_coalesced_mmio_zone.sizeof);
export const KVM_UNREGISTER_COALESCED_MMIO = _IOW(0x68, layout.kvm_coalesced_mmio_zone.sizeof);
export const KVM_SET_GSI_ROUTING = _IOW(0x6a, layout.kvm_irq_routing.sizeof);
export const KVM_IRQFD = _IOW(0x76, layout.kvm_irqfd.sizeof);
export const KVM_CREATE_PIT2 = _IOW(0x77, layout.kvm_pit_config.sizeof);
export const KVM_IOEVENTFD = _IOW(0x79, layout.kvm_ioeventfd.sizeof);
export const KVM_SET_CLOCK = _IOW(0x7b, layout.kvm_clock_data.sizeof);
export const KVM_GET_CLOCK = _IOR(0x7c, layout.kvm_clock_data.sizeof);
export const KVM_GET_PIT2 = _IOR(0x9f, layout.kvm_pit_state2.sizeof);
export const KVM_SET_PIT2 = _IOW(0xa0, layout.kvm_pit_state2.sizeof);
export const KVM_SIGNAL_MSI = _IOW(0xa5, layout.kvm_msi.sizeof);

// A virtual CPU.
export const KVM_RUN = _IO(0x80);
export const KVM_GET_REGS = _IOR(0x81, layout.kvm_regs.sizeof);
export const KVM_SET_REGS = _IOW(0x82, layout.kvm_regs.sizeof);
export const KVM_GET_SREGS = _IOR(0x83, layout.kvm_sregs.sizeof);
export const KVM_SET_SREGS = _IOW(0x84, layout.kvm_sregs.sizeof);
export const KVM_TRANSLATE = _IOWR(0x85, layout.kvm_translation.sizeof);
export const KVM_INTERRUPT = _IOW(0x86, layout.kvm_interrupt.sizeof);
export const KVM_GET_MSRS = _IOWR(0x88, layout.kvm_msrs.sizeof);
export const KVM_SET_MSRS = _IOW(0x89, layout.kvm_msrs.sizeof);
export const KVM_SET_SIGNAL_MASK = _IOW(0x8b, layout.kvm_signal_mask.sizeof);
export const KVM_GET_FPU = _IOR(0x8c, layout.kvm_fpu.sizeof);
export const KVM_SET_FPU = _IOW(0x8d, layout.kvm_fpu.sizeof);
export const KVM_GET_LAPIC = _IOR(0x8e, layout.kvm_lapic_state.sizeof);
export const KVM_SET_LAPIC = _IOW(0x8f, layout.kvm_lapic_state.sizeof);
export const KVM_SET_CPUID2 = _IOW(0x90, layout.kvm_cpuid2.sizeof);
export const KVM_GET_CPUID2 = _IOWR(0x91, layout.kvm_cpuid2.sizeof);
export const KVM_TPR_ACCESS_REPORTING = _IOWR(0x92, layout.kvm_tpr_access_ctl.sizeof);
export const KVM_GET_MP_STATE = _IOR(0x98, layout.kvm_mp_state.sizeof);
export const KVM_SET_MP_STATE = _IOW(0x99, layout.kvm_mp_state.sizeof);
export const KVM_NMI = _IO(0x9a);
export const KVM_SET_GUEST_DEBUG = _IOW(0x9b, layout.kvm_guest_debug.sizeof);
export const KVM_GET_VCPU_EVENTS = _IOR(0x9f, layout.kvm_vcpu_events.sizeof);
export const KVM_SET_VCPU_EVENTS = _IOW(0xa0, layout.kvm_vcpu_events.sizeof);
export const KVM_GET_DEBUGREGS = _IOR(0xa1, layout.kvm_debugregs.sizeof);
export const KVM_SET_DEBUGREGS = _IOW(0xa2, layout.kvm_debugregs.sizeof);
export const KVM_SET_TSC_KHZ = _IO(0xa2);
export const KVM_GET_TSC_KHZ = _IO(0xa3);
export const KVM_ENABLE_CAP = _IOW(0xa3, layout.kvm_enable_cap.sizeof);
export const KVM_GET_XSAVE = _IOR(0xa4, layout.kvm_xsave.sizeof);
export const KVM_SET_XSAVE = _IOW(0xa5, layout.kvm_xsave.sizeof);
export const KVM_GET_XCRS = _IOR(0xa6, layout.kvm_xcrs.sizeof);
export const KVM_SET_XCRS = _IOW(0xa7, layout.kvm_xcrs.sizeof);
export const KVM_GET_STATS_FD = _IO(0xce);
export const KVM_GET_XSAVE2 = _IOR(0xcf, layout.kvm_xsave.sizeof);
