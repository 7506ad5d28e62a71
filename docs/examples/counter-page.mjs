// A device that keeps its registers in a page: the guest reads them without an exit. node docs/examples/counter-page.mjs
import { createMachine } from 'terrarium-vm';

const PAGE = 0x2000000;

class Counter {
  name = 'counter';
  memory = [{ address: PAGE, size: 4096, backing: 'ram' }];

  attach({ memory }) {
    this.page = memory;
    memory.write32(PAGE, 100); // what the guest reads until it writes
  }
  writeMemory(_address, _size, value) {
    this.page.write32(PAGE, this.page.read32(PAGE) + value);
  }
}

const machine = createMachine({
  devices: [new Counter()],
  mode: 'long',
  image: new Uint8Array([
    0xbe, 0x00, 0x00, 0x00, 0x02, //        mov   $0x2000000, %esi
    0xc7, 0x06, 0x07, 0x00, 0x00, 0x00, //  movl  $7, (%rsi)          an exit
    0xb9, 0xe8, 0x03, 0x00, 0x00, //        mov   $1000, %ecx
    0x8b, 0x06, //                      1:  mov   (%rsi), %eax        a thousand times, no exit
    0xe2, 0xfc, //                          loop  1b
    0xf4, //                                hlt                       an exit
  ]),
});
const { exits, registers } = machine.run({ timeoutMs: 1000 });
console.log(`the guest read ${registers.rax}, with ${exits} exits`);
machine[Symbol.dispose]();
