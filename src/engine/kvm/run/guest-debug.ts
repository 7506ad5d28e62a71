/**
 * Whether this host's KVM hides a debugger's breakpoints and steps from the guest in every mode. With VMX and SVM it does; an
 * implementation without them (kvm_pvm) delivers them to the guest in ring 3 of long mode, which runs natively; that would end
 * the guest.
 *
 * @module
 */
import { GuestMemory } from '../../../memory/index.js';
import type { Segment } from '../../../x86/index.js';
import { KVM_CAP_SET_GUEST_DEBUG2 } from '../api/capabilities.js';
import * as K from '../api/constants.js';
import { hostPages } from '../api/host-pages.js';
import type { Kvm } from '../api/kvm.js';

const why =
  'this host’s KVM delivers a debugger’s events to the guest in ring 3 of long mode (it has neither VMX nor SVM)';

let answer: string | false | undefined;

/** Undefined where it does; else the reason as text. Tested once per thread, which takes about a millisecond. */
export function whyNoGuestDebug(kvm: Kvm): string | undefined {
  answer ??= stopsInRing3(kvm) ? false : why;
  return answer === false ? undefined : answer;
}

/** True where KVM can block interrupts during a single step (Linux 5.16). */
export function blocksInterrupts(kvm: Kvm): boolean {
  return (kvm.checkExtension(KVM_CAP_SET_GUEST_DEBUG2) & K.KVM_GUESTDBG_BLOCKIRQ) !== 0;
}

// Guest physical addresses of the test's tables, code and data.
const PML4 = 0x1000;
const PDPT = 0x2000;
const DIRECTORY = 0x3000;
const CODE = 0x4000;
const DATA = 0x5000;
const SIZE = 0x6000;
/** Present, writable, for ring 3. */
const USER_TABLE = 7n;
const LARGE = 0x80n;
/** mov %al,0x5000; hlt, which ring 3 may not. */
const WRITES = Uint8Array.of(0x88, 0x04, 0x25, 0x00, 0x50, 0x00, 0x00, 0xf4);

/** The test: ring 3 writes to watched memory. */
function stopsInRing3(kvm: Kvm): boolean {
  const memory = GuestMemory.create([{ address: 0, size: SIZE }]);
  memory.write64(PML4, BigInt(PDPT) | USER_TABLE);
  memory.write64(PDPT, BigInt(DIRECTORY) | USER_TABLE);
  memory.write64(DIRECTORY, USER_TABLE | LARGE);
  memory.writeBytes(CODE, WRITES);
  using vm = kvm.createVm();
  const hostAddress = hostPages(memory).base + BigInt(memory.regions[0]!.offset);
  vm.setMemoryRegion({ slot: 0, address: 0, size: SIZE, hostAddress });
  using vcpu = vm.createVcpu();
  const system = vcpu.getSystemRegisters();
  const data: Segment = {
    ...system.ds,
    selector: 0x2b,
    base: 0n,
    limit: 0xffff_ffff,
    type: 3,
    dpl: 3,
    db: true,
  };
  const code: Segment = { ...data, selector: 0x33, type: 11, db: false, l: true };
  const none = { base: 0n, limit: 0 };
  vcpu.setSystemRegisters({
    ...system,
    cs: { ...code, g: true },
    ss: { ...data, g: true },
    gdt: none,
    idt: none,
    cr0: 0x8000_0011n,
    cr3: BigInt(PML4),
    cr4: 0x20n,
    efer: 0x500n,
  });
  vcpu.setRegisters({ ...vcpu.getRegisters(), rip: BigInt(CODE), rflags: 2n });
  vcpu.setGuestDebug({ watchpoints: [{ address: BigInt(DATA), length: 1, on: 'write' }] });
  const reason = vcpu.run();
  memory.release(false);
  return reason === K.KVM_EXIT_DEBUG;
}
