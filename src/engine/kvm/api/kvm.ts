import * as capabilities from './capabilities.js';
import { KVM_CAP_CHECK_EXTENSION_VM } from './capabilities.js';
import { KVM_API_VERSION } from './constants.js';
import { type CpuidEntry, decodeCpuid } from './cpuid.js';
import { errnoNumbers } from './errno.js';
import { callFailed, KvmError, openFailed } from './errors.js';
import { Handle, transferList } from './handle.js';
import * as ioctl from './ioctls.js';
import { kvm_cpuid_entry2, kvm_cpuid2, kvm_msr_list } from './layout.js';
import { libc, O_CLOEXEC, O_RDWR } from './libc.js';
import { Vm } from './vm.js';

/** The name of a KVM extension, such as `KVM_CAP_SYNC_REGS`. */
export type CapabilityName = keyof typeof capabilities;

/**
 * The KVM device: reports the host's features, and makes VMs.
 *
 * ```ts
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * ```
 */
export class Kvm extends Handle {
  readonly #extensions = new Map<number, number>();
  #mmapSize = 0;
  #cpuid: readonly CpuidEntry[] | undefined;

  private constructor(fd: number) {
    super('the KVM device', fd);
  }

  /**
   * Opens the device file and checks that it speaks version 12 of the API, the only one since 2007.
   * @throws KvmUnavailableError where this is not Linux on x86-64; KvmError with errno's name and the remedy.
   */
  static open(path = '/dev/kvm'): Kvm {
    const fd = libc().open(path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) throw openFailed(path, libc().errno());
    const version = libc().ioctl(fd, ioctl.KVM_GET_API_VERSION, 0);
    const errno = libc().errno();
    if (version === KVM_API_VERSION) return new Kvm(fd);
    libc().close(fd);
    if (version < 0) {
      const failed = callFailed('KVM_GET_API_VERSION', errno);
      if (errno !== errnoNumbers.ENOTTY) throw failed;
      throw new KvmError(failed.code, `${path} is not the KVM device: ${failed.message}`, {
        call: failed.call,
        errno,
        hint: 'give the path of KVM’s device file, /dev/kvm',
      });
    }
    throw new KvmError('EVERSION', `${path} speaks version ${version} of the KVM API, not 12`, {
      call: 'KVM_GET_API_VERSION',
      hint: 'Terrarium does not support this KVM; run a Linux kernel of 4.13 or newer',
    });
  }

  /** KVM_GET_API_VERSION: 12. */
  apiVersion(): number {
    return this.control(ioctl.KVM_GET_API_VERSION);
  }

  /** KVM_CHECK_EXTENSION: 0 where this host does not have it; the meaning of other numbers depends on the extension. */
  checkExtension(capability: number): number {
    this.requireOpen();
    let value = this.#extensions.get(capability);
    if (value === undefined) {
      value = this.control(ioctl.KVM_CHECK_EXTENSION, capability);
      this.#extensions.set(capability, value);
    }
    return value;
  }

  /** Every extension by name, with the result of KVM_CHECK_EXTENSION. */
  capabilities(): Record<CapabilityName, number> {
    const found: Record<string, number> = {};
    for (const [name, number] of Object.entries(capabilities)) found[name] = this.checkExtension(number);
    return found as Record<CapabilityName, number>;
  }

  /** KVM_GET_VCPU_MMAP_SIZE: bytes of a vCPU's mapping. */
  vcpuMmapSize(): number {
    this.requireOpen();
    if (this.#mmapSize === 0) this.#mmapSize = this.control(ioctl.KVM_GET_VCPU_MMAP_SIZE);
    return this.#mmapSize;
  }

  /** KVM_GET_SUPPORTED_CPUID: the CPUID leaves that KVM can give a guest on this host. */
  supportedCpuid(): readonly CpuidEntry[] {
    this.requireOpen();
    this.#cpuid ??= decodeCpuid(
      this.#list(ioctl.KVM_GET_SUPPORTED_CPUID, kvm_cpuid2.sizeof, kvm_cpuid_entry2.sizeof, 128),
    );
    return this.#cpuid;
  }

  /** KVM_GET_EMULATED_CPUID: features that KVM emulates where the processor lacks them. */
  emulatedCpuid(): CpuidEntry[] {
    return decodeCpuid(
      this.#list(ioctl.KVM_GET_EMULATED_CPUID, kvm_cpuid2.sizeof, kvm_cpuid_entry2.sizeof, 128),
    );
  }

  /** KVM_GET_MSR_INDEX_LIST: the MSRs that make up a guest's state. */
  msrIndexList(): Uint32Array {
    return this.#msrList(ioctl.KVM_GET_MSR_INDEX_LIST);
  }

  /** KVM_GET_MSR_FEATURE_INDEX_LIST: the MSRs that describe KVM's features. */
  msrFeatureIndexList(): Uint32Array {
    return this.#msrList(ioctl.KVM_GET_MSR_FEATURE_INDEX_LIST);
  }

  /** KVM_CREATE_VM. */
  createVm(): Vm {
    return new Vm(this, this.control(ioctl.KVM_CREATE_VM));
  }

  /** True where KVM_CHECK_EXTENSION works on a VM's file descriptor. */
  get checksExtensionsOfVms(): boolean {
    return this.checkExtension(KVM_CAP_CHECK_EXTENSION_VM) !== 0;
  }

  #msrList(request: number): Uint32Array {
    const list = this.#list(request, kvm_msr_list.indices, 4, 256);
    return new Uint32Array(list.buffer, kvm_msr_list.indices, list.getUint32(kvm_msr_list.nmsrs, true));
  }

  #list(request: number, headerBytes: number, entryBytes: number, guess: number): DataView {
    const call = (buffer: DataView) => this.libc.ioctlPointer(this.fd, request, buffer);
    return transferList(call, request, headerBytes, entryBytes, guess);
  }
}
