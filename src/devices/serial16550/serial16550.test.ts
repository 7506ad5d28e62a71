/**
 * The PC16550D data sheet's rules, and those that operating systems' drivers rely on. Numbers in names are its
 * sections.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Serial16550 } from '../index.js';
import {
  BASE,
  bench,
  DLL,
  DLM,
  FCR,
  IER,
  IIR,
  LCR,
  LOOPBACK,
  LSR,
  MCR,
  MSR,
  OUT2,
  RBR,
  SCR,
  THR,
} from '../serial-bench.js';

describe('16550: registers', () => {
  test('have the reset values of table I', () => {
    const uart = bench();
    assert.deepEqual(
      [IER, IIR, LCR, MCR, LSR].map((register) => uart.in(register)),
      [0x00, 0x01, 0x00, 0x00, 0x60],
    );
    assert.equal(uart.in(MSR) & 0x0f, 0, 'no modem line has changed yet');
    assert.equal(uart.line, false);
  });

  test('keep only the bits that exist: IER and MCR have bits that are always 0 (8.7, 8.8)', () => {
    const uart = bench();
    for (const register of [IER, MCR, LCR, SCR]) uart.out(register, 0xff);
    uart.out(LCR, 0x7f);
    assert.deepEqual(
      [IER, MCR, LCR, SCR].map((register) => uart.in(register)),
      [0x0f, 0x1f, 0x7f, 0xff],
    );
  });

  test('are twelve at eight ports: DLAB turns the first two into the divisor (table II)', () => {
    const uart = bench();
    uart.out(IER, 0x05);
    uart.out(LCR, 0x83);
    uart.out(DLL, 0x01);
    uart.out(DLM, 0x00);
    assert.deepEqual([uart.in(DLL), uart.in(DLM)], [0x01, 0x00]);
    uart.out(DLM, 0x09);
    assert.deepEqual([uart.in(DLL), uart.in(DLM)], [0x01, 0x09]);
    assert.deepEqual(uart.sent, [], 'the divisor is not data');
    uart.out(LCR, 0x03);
    assert.equal(uart.in(IER), 0x05, 'nor is it the interrupt enable register');
    uart.out(THR, 0x41);
    assert.deepEqual(uart.sent, [0x41]);
  });

  test('tell of bytes that nobody gets', () => {
    const uart = new Serial16550({ name: 'serial-2', base: 0x2f8, irq: 3 });
    assert.equal(uart.remark(), undefined);
    for (const byte of [0x68, 0x69]) uart.writePort(0x2f8, 1, byte);
    assert.match(
      uart.remark() ?? '',
      /^2 bytes were sent to serial-2, at port 0x2f8, where nothing is connected/,
    );
  });

  test('ignore writes to LSR and MSR', () => {
    const uart = bench();
    const before = [uart.in(LSR), uart.in(MSR)];
    uart.out(LSR, 0xff);
    uart.out(MSR, 0xff);
    assert.deepEqual([uart.in(LSR), uart.in(MSR)], before);
  });

  test('work at any base', () => {
    const sent: number[] = [];
    const serial = new Serial16550({
      name: 'com2',
      base: 0x2f8,
      irq: 3,
      output: (bytes) => sent.push(...bytes),
    });
    serial.writePort(0x2f8, 1, 0x42);
    serial.writePort(0x2ff, 1, 0x55);
    assert.deepEqual([sent, serial.readPort(0x2ff)], [[0x42], 0x55]);
  });
});

describe('16550: what a driver does first', () => {
  test('finds a 16550A: the scratch register keeps values, and FIFO bits show in IIR', () => {
    const uart = bench();
    for (const value of [0x55, 0xaa]) {
      uart.out(SCR, value);
      assert.equal(uart.in(SCR), value);
    }
    assert.equal(uart.in(IIR) & 0xc0, 0x00);
    uart.out(FCR, 0x01);
    assert.equal(
      uart.in(IIR) & 0xc0,
      0xc0,
      '0xc0: a 16550A whose FIFOs work; 0x80 would be the broken 16550',
    );
    uart.out(FCR, 0x00);
    assert.equal(uart.in(IIR) & 0xc0, 0x00);
  });

  test("passes Linux's presence test: IER keeps four bits, loopback shows the modem outputs as inputs", () => {
    // drivers/tty/serial/8250/8250_port.c, autoconfig(): writes IER 0 and 0x0f; MCR = LOOP | OUT2 | RTS must give
    // MSR & 0xf0 == DCD | CTS (0x90).
    const uart = bench();
    uart.out(IER, 0x00);
    assert.equal(uart.in(IER) & 0x0f, 0x00);
    uart.out(IER, 0x0f);
    assert.equal(uart.in(IER) & 0x0f, 0x0f);
    uart.out(IER, 0x00);
    uart.out(MCR, LOOPBACK | OUT2 | 0x02);
    assert.equal(uart.in(MSR) & 0xf0, 0x90);
  });

  test("passes Linux's test of the transmitter interrupt: enabling it twice raises it twice", () => {
    // serial8250_do_startup(): IER = THRI; iir1 = IIR; IER = 0; IER = THRI; iir = IIR; both must name THRI.
    const uart = bench();
    for (let i = 0; i < 2; i++) {
      uart.out(IER, 0x02);
      assert.equal(uart.in(IIR), 0x02);
      assert.equal(uart.in(IIR), 0x01);
      uart.out(IER, 0x00);
    }
  });

  test('sets up 115,200 baud, 8N1, FIFOs, and asks the lines for a terminal', () => {
    const uart = bench();
    for (const [register, value] of [
      [IER, 0x00],
      [LCR, 0x80],
      [DLL, 0x01],
      [DLM, 0x00],
      [LCR, 0x03],
      [FCR, 0xc7],
      [MCR, 0x0b],
    ] as const) {
      uart.out(register, value);
    }
    assert.deepEqual([uart.in(LCR), uart.in(MCR), uart.in(IIR)], [0x03, 0x0b, 0xc1]);
    assert.equal(uart.in(LSR) & 0x20, 0x20);
    assert.equal(uart.in(MSR) & 0xb0, 0xb0, 'DCD, DSR and CTS');
    for (const byte of Buffer.from('up\n')) uart.out(THR, byte);
    assert.equal(uart.text(), 'up\n');
  });

  test('does not lose input that arrived before its FIFO reset', () => {
    const uart = bench();
    uart.type('early');
    uart.out(FCR, 0x07);
    uart.out(IER, 0x01);
    let text = '';
    while (uart.in(LSR) & 1) text += String.fromCharCode(uart.in(RBR));
    assert.equal(text, 'early');
  });
});

describe('16550: loopback (8.8)', () => {
  test('returns sent bytes, and sends nothing to the line', () => {
    const uart = bench('from outside');
    uart.out(MCR, LOOPBACK);
    uart.out(FCR, 0x01);
    assert.equal(uart.in(LSR) & 1, 0, 'the serial input is disconnected');
    uart.out(THR, 0xae);
    assert.equal(uart.in(LSR) & 1, 1);
    assert.equal(uart.in(RBR), 0xae);
    assert.equal(uart.in(LSR) & 1, 0);
    assert.deepEqual(uart.sent, []);
    uart.out(MCR, 0);
    assert.equal(uart.in(LSR) & 1, 1);
    assert.equal(uart.in(RBR), 0x66);
  });

  test('ties RTS to CTS, DTR to DSR, OUT1 to RI and OUT2 to DCD', () => {
    const uart = bench();
    const inputs = [0x01, 0x02, 0x04, 0x08].map((bit) => {
      uart.out(MCR, LOOPBACK | bit);
      return uart.in(MSR) & 0xf0;
    });
    assert.deepEqual(inputs, [0x20, 0x10, 0x40, 0x80]);
  });

  test('keeps which lines changed until MSR is read; RI only when it ends (8.9)', () => {
    const uart = bench();
    uart.out(MCR, LOOPBACK);
    uart.in(MSR);
    uart.out(MCR, LOOPBACK | 0x0f);
    assert.equal(uart.in(MSR), 0xfb);
    assert.equal(uart.in(MSR), 0xf0);
    uart.out(MCR, LOOPBACK);
    assert.equal(uart.in(MSR), 0x0f);
    uart.out(MCR, LOOPBACK | 0x02);
    uart.out(MCR, LOOPBACK);
    assert.equal(uart.in(MSR), 0x01, 'a change and back is also a change');
  });

  test('overruns: 16450 mode keeps the new character, a full FIFO the old ones (8.4)', () => {
    const uart = bench();
    uart.out(MCR, LOOPBACK);
    uart.out(THR, 0x31);
    uart.out(THR, 0x32);
    assert.equal(uart.in(LSR), 0x63);
    assert.equal(uart.in(LSR), 0x61, 'reading LSR resets OE');
    assert.equal(uart.in(RBR), 0x32);
    uart.out(FCR, 0x01);
    for (let i = 0; i < 18; i++) uart.out(THR, 0x41 + i);
    assert.equal(uart.in(LSR), 0x63);
    const got = Array.from({ length: 16 }, () => uart.in(RBR));
    assert.deepEqual(
      got,
      Array.from({ length: 16 }, (_, i) => 0x41 + i),
    );
    assert.equal(uart.in(LSR), 0x60);
  });
});

describe('16550: FIFO control (8.5)', () => {
  const filled = (fcr: number) => {
    const uart = bench();
    uart.out(FCR, fcr);
    uart.out(MCR, LOOPBACK);
    for (let i = 0; i < 3; i++) uart.out(THR, 0x41 + i);
    return uart;
  };

  test('bit 1 empties the receiver, bit 2 does not', () => {
    const uart = filled(0x01);
    uart.out(FCR, 0x05);
    assert.equal(uart.in(LSR) & 1, 1);
    uart.out(FCR, 0x03);
    assert.equal(uart.in(LSR) & 1, 0);
  });

  test('turning the FIFOs off empties them; other bits count only with bit 0', () => {
    const uart = filled(0x01);
    uart.out(FCR, 0x00);
    assert.equal(uart.in(LSR) & 1, 0);
    const other = filled(0x00);
    other.out(FCR, 0x02);
    assert.equal(other.in(LSR) & 1, 1, 'bit 1 without bit 0 is not programmed');
    other.out(FCR, 0x01);
    assert.equal(other.in(LSR) & 1, 0, 'a change of bit 0 empties');
  });

  test('sets the trigger level to 1, 4, 8 or 14', () => {
    for (const [fcr, level] of [
      [0x01, 1],
      [0x41, 4],
      [0x81, 8],
      [0xc1, 14],
    ] as const) {
      const uart = bench();
      uart.out(FCR, fcr);
      uart.out(IER, 0x01);
      for (let count = 1; count <= 16; count++) {
        uart.type('x');
        assert.equal(uart.in(IIR), count >= level ? 0xc4 : 0xcc, `${count} characters, trigger ${level}`);
      }
    }
  });
});

describe('16550: input', () => {
  test('is read only as fast as the guest reads it, so that none is lost', () => {
    const text = 'x'.repeat(1000);
    const uart = bench(text);
    uart.out(FCR, 0x01);
    uart.out(IER, 0x01);
    assert.equal(uart.waiting.length, 984, 'sixteen are in the FIFO');
    let count = 0;
    while (uart.in(LSR) & 1) {
      uart.in(RBR);
      count++;
    }
    assert.equal(count, 1000);
  });

  test('is not taken by reads of RBR without data-ready status', () => {
    const uart = bench('ab');
    assert.equal(uart.in(RBR), 0, 'drivers read RBR to clear it');
    assert.equal(uart.in(LSR) & 1, 1);
    assert.equal(uart.in(RBR), 0x61);
    assert.equal(uart.in(RBR), 0x61, 'the register keeps the last character');
  });

  test('survives a source that announces more than it has', () => {
    const serial = new Serial16550({ output: () => {}, input: { available: true, read: () => -1 } });
    assert.equal(serial.readPort(BASE + LSR), 0x60);
  });
});

describe('16550: saved state', () => {
  test('raises the interrupt line again in the machine that takes it', () => {
    const uart = bench();
    uart.out(MCR, OUT2);
    uart.out(IER, 0x01);
    uart.type('k');
    const other = bench();
    other.serial.load(structuredClone(uart.serial.save()));
    assert.equal(other.line, true);
    assert.equal(other.in(RBR), 0x6b);
    assert.equal(other.line, false);
  });

  test('names the register whose value is impossible', () => {
    const { serial } = bench();
    assert.throws(
      () => serial.load({ ...serial.save(), mcr: 0x20 }),
      /'mcr' is 32, allowed are the bits 0x1f/,
    );
    assert.throws(
      () => serial.load({ ...serial.save(), received: [1, 2] }),
      /'received' is not a list of at most 1 byte/,
    );
  });
});
