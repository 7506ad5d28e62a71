// The minimum for Node to do the work of `terrarium run guests/hello`: only koffi's native module, the bare calls of
// KVM, the same number of exits, and a write for each piece of the text. The time beyond `node -e 0` is that of Node,
// koffi and the kernel. A separate file without imports, since these would also cost time.
const { writeSync } = require('node:fs');

const koffi = { exports: {} };
process.dlopen(koffi, require.resolve('@koromix/koffi-linux-x64/linux_x64/koffi.node'));
const lib = koffi.exports.load('libc.so.6');
const open = lib.func('open', 'int', ['str', 'int', 'int']);
const ioctl = lib.func('ioctl', 'int', ['int', 'uint32', 'uint64']);
const ioctlPointer = lib.func('ioctl', 'int', ['int', 'uint32', 'void *']);
const mmap = lib.func('mmap', 'int64', ['uint64', 'size_t', 'int', 'int', 'int', 'int64']);

// Numbers of <linux/kvm.h>.
const [CREATE_VM, VCPU_MMAP_SIZE, CREATE_VCPU, RUN] = [0xae01, 0xae04, 0xae41, 0xae80];
const [SET_REGION, SET_REGS, GET_SREGS, SET_SREGS] = [0x4020ae46, 0x4090ae82, 0x8138ae83, 0x4138ae84];
const [EXIT_IO, EXIT_HLT] = [2, 5];
const PIECE = 64;

const text = Buffer.from(`${'Hello from inside the terrarium! '.repeat(11)}\n\0`);
// again: lodsb; test al, al; jz end; out E9h, al; jmp again; end: hlt
const code = [0xac, 0x84, 0xc0, 0x74, 0x04, 0xe6, 0xe9, 0xeb, 0xf7, 0xf4];
const ram = new Uint8Array(new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true }).buffer);
ram.set(code, 0x1000);
ram.set(text, 0x2000);

const kvm = open('/dev/kvm', 0x80002, 0);
const vm = ioctl(kvm, CREATE_VM, 0);
ioctlPointer(vm, SET_REGION, new BigUint64Array([0n, 0n, BigInt(ram.length), koffi.exports.address(ram)]));
const cpu = ioctl(vm, CREATE_VCPU, 0);
const size = ioctl(kvm, VCPU_MMAP_SIZE, 0);
const run = new DataView(koffi.exports.view(BigInt(mmap(0, size, 3, 1, cpu, 0)), size));
const system = new DataView(new ArrayBuffer(312));
ioctlPointer(cpu, GET_SREGS, system);
system.setBigUint64(0, 0n, true);
system.setUint16(12, 0, true);
ioctlPointer(cpu, SET_SREGS, system);
const registers = new BigUint64Array(18);
[registers[4], registers[16], registers[17]] = [0x2000n, 0x1000n, 2n];
ioctlPointer(cpu, SET_REGS, registers);

let printed = '';
for (;;) {
  if (ioctl(cpu, RUN, 0) !== 0) throw new Error(`KVM_RUN failed: errno ${koffi.exports.errno()}`);
  const reason = run.getUint32(8, true);
  if (reason === EXIT_HLT) break;
  if (reason !== EXIT_IO) throw new Error(`exit ${reason}`);
  printed += String.fromCharCode(run.getUint8(Number(run.getBigUint64(40, true))));
  if (printed.length < PIECE) continue;
  writeSync(1, printed);
  printed = '';
}
writeSync(1, printed);
