// A guest run by direct KVM calls, with only terrarium-vm/kvm. node docs/examples/bare-kvm.mjs
import { constants, exitReasonName, hostAddress, Kvm, layout } from 'terrarium-vm/kvm';

const ram = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
ram.set([
  0xb0, 0x48, 0xe6, 0xe9, //  mov $'H', %al; out %al, $0xe9
  0xb0, 0x69, 0xe6, 0xe9, //  mov $'i', %al; out %al, $0xe9
  0xf4, //                    hlt
]);

const kvm = Kvm.open();
const vm = kvm.createVm();
vm.setMemoryRegion({ slot: 0, address: 0, size: ram.length, hostAddress: hostAddress(ram) });
const vcpu = vm.createVcpu();
const system = vcpu.getSystemRegisters();
vcpu.setSystemRegisters({ ...system, cs: { ...system.cs, selector: 0, base: 0n } });
vcpu.setRegisters({ ...vcpu.getRegisters(), rip: 0n, rflags: 2n });

const { KVM_EXIT_HLT, KVM_EXIT_IO } = constants;
const io = layout.kvm_run['io.direction'];
for (let reason = vcpu.run(); reason !== KVM_EXIT_HLT; reason = vcpu.run()) {
  if (reason !== KVM_EXIT_IO) throw new Error(exitReasonName(reason));
  const exit = vcpu.readRun(io, 16); // struct kvm_run: direction, size, port, count, data_offset
  const data = vcpu.readRun(Number(exit.getBigUint64(8, true)), exit.getUint8(1));
  console.log(`port 0x${exit.getUint16(2, true).toString(16)}: ${String.fromCharCode(data.getUint8(0))}`);
}
console.log(`halted at rip ${vcpu.getRegisters().rip}`);
kvm[Symbol.dispose](); // also closes all handles that were made from it
