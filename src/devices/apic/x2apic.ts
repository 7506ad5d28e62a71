/**
 * A local APIC's registers as MSRs (SDM 3A 11.12.1). Registers that do not exist and reserved bits cause #GP: undefined
 * or false.
 *
 * @module
 */
import type { LocalApic } from './local-apic.js';
import { Command, LVT_ENTRIES, lvtBits, MSR_X2APIC, Register, SPURIOUS_BITS } from './registers.js';

const WORD = 0xffff_ffffn;

const isLvt = (offset: number) => offset >= Register.timer && offset < Register.timer + 16 * LVT_ENTRIES;
const isSet = (offset: number) => offset >= Register.inService && offset < Register.errors;

const readable: readonly number[] = [
  Register.id,
  Register.version,
  Register.taskPriority,
  Register.processorPriority,
  Register.logicalDestination,
  Register.spurious,
  Register.errors,
  Register.initialCount,
  Register.currentCount,
  Register.divide,
];

/** The bits that may be set in a written value. */
const writable: Readonly<Record<number, number>> = {
  [Register.taskPriority]: 0xff,
  [Register.eoi]: 0,
  [Register.spurious]: SPURIOUS_BITS,
  [Register.errors]: 0,
  [Register.initialCount]: 0xffff_ffff,
  [Register.divide]: 0xb,
  [Register.selfIpi]: 0xff,
};

export function readX2(apic: LocalApic, msr: number): bigint | undefined {
  const offset = (msr - MSR_X2APIC) << 4;
  if (offset === Register.commandLow)
    return BigInt(apic.read(Register.commandLow)) | (BigInt(apic.read(Register.commandHigh)) << 32n);
  return readable.includes(offset) || isLvt(offset) || isSet(offset) ? BigInt(apic.read(offset)) : undefined;
}

export function writeX2(apic: LocalApic, msr: number, value: bigint): boolean {
  const offset = (msr - MSR_X2APIC) << 4;
  const low = Number(value & WORD);
  if (offset === Register.commandLow) {
    // The delivery status, bit 12, does not exist here; writes to it are ignored.
    if ((low & ~(Command.bits | 0x1000)) !== 0) return false;
    apic.command(low, Number(value >> 32n));
    return true;
  }
  const bits = isLvt(offset) ? lvtBits[(offset - Register.timer) >> 4]! | 0x1000 : writable[offset];
  if (bits === undefined || value > WORD || (low & ~bits) !== 0) return false;
  if (offset === Register.selfIpi) apic.sendSelf(low);
  else apic.write(offset, low);
  return true;
}
