import type { EngineName, MachineSpec } from '../../../../config/index.js';
import { ConfigError } from '../../../../errors.js';

/** The values of --engine that can count instructions. */
const counting: readonly EngineName[] = ['auto', 'soft'];

/**
 * The description of a machine whose instructions are counted.
 * @param needs what needs that, for the message
 * @param hint what to do instead
 * @throws ConfigError where another engine was asked for
 */
export function onCountingEngine(spec: MachineSpec, needs: string, hint: string): MachineSpec {
  if (!counting.includes(spec.engine ?? 'auto')) throw new ConfigError(needs, hint);
  return { ...spec, engine: 'soft' };
}
