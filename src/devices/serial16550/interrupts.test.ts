/** The UART's interrupts, as the PC16550D data sheet and interrupt controllers see them. Numbers in names are its sections. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bench, FCR, IER, IIR, LOOPBACK, LSR, MCR, MSR, OUT2, RBR, THR } from '../serial-bench.js';

describe('16550: interrupts', () => {
  test('reach the bus only through OUT2, and not in loopback', () => {
    const uart = bench();
    uart.out(IER, 0x02);
    assert.equal(uart.in(MCR), 0);
    assert.equal(uart.line, false);
    uart.out(MCR, OUT2);
    assert.equal(uart.line, true);
    uart.out(MCR, OUT2 | LOOPBACK);
    assert.equal(uart.line, false);
    uart.out(MCR, 0);
    assert.equal(uart.line, false);
  });

  test('have priorities, and each is reset in its own way (table IV)', () => {
    const uart = bench();
    uart.out(MCR, LOOPBACK | OUT2);
    uart.in(MSR);
    uart.out(IER, 0x0f);
    uart.out(THR, 1);
    uart.out(THR, 2);
    uart.out(MCR, LOOPBACK | OUT2 | 0x01);
    assert.equal(uart.in(IIR), 0x06, 'line status first');
    assert.equal(uart.in(IIR), 0x06, 'which reading IIR does not reset');
    uart.in(LSR);
    assert.equal(uart.in(IIR), 0x04, 'then received data');
    uart.in(RBR);
    assert.equal(uart.in(IIR), 0x02, 'then the transmitter, which reading IIR resets');
    assert.equal(uart.in(IIR), 0x00, 'then modem status');
    uart.in(MSR);
    assert.equal(uart.in(IIR), 0x01, 'then none');
  });

  test('of the transmitter are not lost when IIR names a higher one instead', () => {
    const uart = bench();
    uart.out(IER, 0x03);
    uart.type('x');
    assert.equal(uart.in(IIR), 0x04);
    uart.in(RBR);
    assert.equal(uart.in(IIR), 0x02);
  });

  test('repeat their edge for a controller that was not initialized when it came', () => {
    const uart = bench();
    uart.out(IER, 0x01);
    uart.out(MCR, OUT2);
    uart.type('x');
    uart.edges.length = 0;
    uart.unmask();
    assert.deepEqual(uart.edges, [false, true]);
    uart.in(RBR);
    uart.edges.length = 0;
    uart.unmask();
    assert.deepEqual(uart.edges, []);
  });

  test('do not occur when not enabled, while the status registers keep changing (8.7)', () => {
    const uart = bench('abc');
    uart.out(MCR, OUT2);
    uart.out(THR, 0x41);
    assert.equal(uart.in(LSR) & 1, 1);
    assert.equal(uart.in(IIR), 0x01);
    assert.deepEqual(uart.edges, []);
  });

  test('send a text, interrupt by interrupt, each with its own edge', () => {
    const uart = bench();
    const text = [...Buffer.from('interrupt-driven\n')];
    uart.out(MCR, OUT2);
    uart.out(IER, 0x02);
    let interrupts = 0;
    while (uart.line && interrupts < 100) {
      interrupts++;
      assert.equal(uart.in(IIR), 0x02);
      assert.equal(uart.line, false, 'reading IIR clears it');
      const next = text.shift();
      if (next === undefined) uart.out(IER, 0x00);
      else uart.out(THR, next);
    }
    assert.equal(uart.text(), 'interrupt-driven\n');
    assert.equal(interrupts, 18);
    assert.equal(uart.edges.filter((level) => level).length, 18);
  });

  test('of a transmitter that is written without reading IIR fall and rise again', () => {
    const uart = bench();
    uart.out(MCR, OUT2);
    uart.out(IER, 0x02);
    uart.edges.length = 0;
    uart.out(THR, 0x41);
    assert.deepEqual(uart.edges, [false, true]);
  });

  test('receive a text through an edge-triggered controller, with and without FIFOs', () => {
    for (const fcr of [0x00, 0x01, 0xc1]) {
      const uart = bench();
      uart.out(FCR, fcr);
      uart.out(MCR, OUT2);
      uart.out(IER, 0x01);
      const text = 'The quick brown fox jumps over the lazy dog.';
      uart.type(text);
      let received = '';
      let seen = 0;
      // One character per interrupt, and an interrupt only where the line rises, as in the simplest handler.
      while (uart.edges.slice(seen).includes(true)) {
        seen = uart.edges.length;
        while ((uart.in(IIR) & 1) === 0) received += String.fromCharCode(uart.in(RBR));
      }
      assert.equal(received, text, `FCR ${fcr}`);
      assert.equal(uart.line, false);
      uart.type('!');
      assert.equal(uart.line, true, 'the next character raises it again');
      assert.equal(uart.in(RBR), 0x21);
    }
  });

  test('of single characters in 16450 mode are one edge each', () => {
    const uart = bench();
    uart.out(MCR, OUT2);
    uart.out(IER, 0x01);
    uart.type('abc');
    for (const character of 'abc') assert.equal(String.fromCharCode(uart.in(RBR)), character);
    assert.deepEqual(uart.edges, [true, false, true, false, true, false]);
  });

  test('of changed modem lines end when MSR is read', () => {
    const uart = bench();
    uart.out(IER, 0x08);
    // In loopback all lines drop; the interrupt waits behind the gate until loopback ends.
    uart.out(MCR, LOOPBACK);
    uart.out(MCR, OUT2);
    assert.equal(uart.line, true);
    assert.equal(uart.in(IIR), 0x00);
    assert.equal(uart.in(MSR), 0xbb);
    assert.equal(uart.line, false);
  });
});
