import type { ByteSink, ByteSource, Device } from './contract/index.js';
import { DebugConsole } from './debug/console.js';
import { DebugExit } from './debug/exit.js';
import { type HypercallOptions, Hypercalls } from './hypercall/hypercall.js';
import { PseudoSerial } from './pseudo-serial.js';
import { Serial16550 } from './serial16550/serial16550.js';

export interface StandardDevicesOptions {
  /** The sink of all consoles: debug console, pseudo-serial port and serial port. */
  output: ByteSink;
  /** The input of the serial port; default: none. */
  input?: ByteSource;
  /**
   * Let the engine delay writes to the serial port's data register; see `SerialOptions.coalesce`. Default true: guests
   * that wait for a transmitter interrupt need false.
   */
  coalesceSerial?: boolean;
  /** The hypercalls' services in addition to the console: time, random bytes, a log, custom calls. */
  hypercalls?: Omit<HypercallOptions, 'output' | 'input'>;
}

/**
 * The devices that every machine has by default: the debug console (0xE9), the pseudo-serial port
 * (0xF1), the debug exit (0xF4), a serial port (0x3F8, IRQ 4) and hypercalls (0xABBA).
 */
export function standardDevices(options: StandardDevicesOptions): Device[] {
  const { output, input, coalesceSerial = true, hypercalls } = options;
  return [
    new DebugConsole(output),
    new PseudoSerial(output),
    new DebugExit(),
    new Serial16550({ output, ...(input && { input }), coalesce: coalesceSerial }),
    new Hypercalls({ ...hypercalls, output, ...(input && { input }) }),
  ];
}
