import { ConfigError } from '../errors.js';
import { Fxsave } from './fxsave.js';
import { CPU_STATE_VERSION, type CpuState } from './state.js';

/** The largest XSAVE area that a processor names (CPUID leaf 0Dh) is some 11 KiB. */
const MAX_EXTENDED = 1 << 16;
const MAX_MSRS = 1024;
const APIC_BYTES = 1024;
const MAX_ANSWERS = 1024;
const MAX_DATA = 1 << 16;

/**
 * Checks the parts that do not depend on an engine: a state may come from a file.
 * @throws ConfigError that names the field, its value and what is right
 */
export function checkCpuState(state: CpuState): void {
  const { version, fpu, extended, apic, msrs, events, debug, pdptes, unfinished, time } = state;
  if (version !== CPU_STATE_VERSION) {
    throw new ConfigError(
      `the CPU state has version ${version}`,
      `this version of Terrarium takes ${CPU_STATE_VERSION}`,
    );
  }
  expect(fpu.length === Fxsave.size, 'fpu', `${fpu.length} bytes`, `${Fxsave.size} bytes`);
  if (extended !== null) {
    const right = extended.length >= 64 && extended.length <= MAX_EXTENDED;
    expect(right, 'extended', `${extended.length} bytes`, `64 to ${MAX_EXTENDED} bytes`);
  }
  if (apic !== null)
    expect(apic.length === APIC_BYTES, 'apic', `${apic.length} bytes`, `${APIC_BYTES} bytes`);
  expect(msrs.length <= MAX_MSRS, 'msrs', `${msrs.length} entries`, `${MAX_MSRS} at most`);
  expect(debug.addresses.length === 4, 'debug.addresses', `${debug.addresses.length} entries`, '4');
  if (pdptes !== null) expect(pdptes.length === 4, 'pdptes', `${pdptes.length} entries`, '4');
  const { interrupt, exception, debugTraps, shadow } = events;
  expect(['none', 'sti', 'movSs'].includes(shadow), 'events.shadow', shadow, "'none', 'sti' or 'movSs'");
  if (interrupt !== null) expectWhole('events.interrupt', interrupt, 255);
  if (exception !== null) {
    expectWhole('events.exception.vector', exception.vector, 31);
    if (exception.errorCode !== null)
      expectWhole('events.exception.errorCode', exception.errorCode, 0xffff_ffff);
  }
  expectWhole('events.debugTraps', debugTraps, 0xffff);
  if (time !== null) {
    expectWhole('time.cycles', time.cycles, Number.MAX_SAFE_INTEGER);
    expectWhole('time.skipped', time.skipped, time.cycles);
  }
  if (unfinished === null) return;
  const { answers, access, batch } = unfinished;
  expectWhole('unfinished.answers.length', answers.length, MAX_ANSWERS);
  if (access !== null) {
    expectWhole('unfinished.access.size', access.size, 8);
    expectWhole('unfinished.access.count', access.count, MAX_DATA);
    expect(
      access.data.length === access.size * access.count,
      'unfinished.access.data',
      `${access.data.length} bytes`,
      'size × count bytes',
    );
  }
  if (batch !== null) {
    expectWhole('unfinished.batch.data.length', batch.data.length, MAX_DATA);
    expectWhole('unfinished.batch.count', batch.count, MAX_DATA);
    expectWhole('unfinished.batch.taken', batch.taken, batch.count);
  }
}

function expectWhole(field: string, value: number, most: number): void {
  expect(Number.isInteger(value) && value >= 0 && value <= most, field, String(value), `0 to ${most}`);
}

function expect(right: boolean, field: string, found: string, wanted: string): void {
  if (!right) throw new ConfigError(`the CPU state's field ${field} is ${found}`, `it has to be ${wanted}`);
}
