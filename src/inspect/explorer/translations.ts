/**
 * Translated code of a machine that is stopped here, or that ran on another thread.
 *
 * @module
 */
import type { EngineCpu, TranslatedFunction, TranslatedSummary } from '../../engine/contract/index.js';
import { physicalAddress } from './linear.js';
import type { PhysicalMemory } from './words.js';

/** The translator's functions, as far as they were requested. */
export interface Translations {
  readonly functions: readonly TranslatedSummary[];
  /** The function with the instruction at a linear address. */
  at(linear: bigint): TranslatedFunction | undefined;
}

/** The same as plain data: functions by linear addresses. */
export interface TranslationsFound {
  readonly functions: readonly TranslatedSummary[];
  readonly found: readonly { readonly linear: bigint; readonly translated: TranslatedFunction }[];
}

/** Of a CPU that is stopped here; undefined where it translates nothing. */
export function translationsOf(cpu: EngineCpu, memory: PhysicalMemory): Translations | undefined {
  const { translatedCode } = cpu;
  if (translatedCode === undefined) return undefined;
  return {
    functions: translatedCode.list(),
    at(linear) {
      const physical = physicalAddress(memory, cpu.getSystemRegisters(), linear);
      return physical === undefined ? undefined : translatedCode.at(physical);
    },
  };
}

/** Those at some linear addresses, as plain data. */
export function findTranslations(
  translations: Translations | undefined,
  addresses: readonly bigint[],
): TranslationsFound | undefined {
  if (translations === undefined) return undefined;
  const found = addresses.flatMap((linear) => {
    const translated = translations.at(linear);
    return translated === undefined ? [] : [{ linear, translated }];
  });
  return { functions: translations.functions, found };
}

/** The result as an object with queries. */
export const foundTranslations = ({ functions, found }: TranslationsFound): Translations => ({
  functions,
  at: (linear) => found.find((one) => one.linear === linear)?.translated,
});
