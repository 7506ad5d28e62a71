import { StringDecoder } from 'node:string_decoder';
import type { Guest } from './launch.js';

/** The editor's category of a text. */
export type Category = 'console' | 'stdout' | 'stderr' | 'important';

/**
 * Shows what the guest prints and logs, and the notes about it before it runs.
 * @param drained resolves when the editor has read: until then the guest's output waits
 */
export function connectOutput(
  { machine, warnings }: Guest,
  say: (category: Category, text: string) => void,
  drained: () => Promise<void> | undefined,
): void {
  if (warnings !== '') say('stderr', `${warnings.trimEnd()}\n`);
  if (machine.engineBecause !== undefined)
    say('console', `${machine.engineBecause}: the software CPU runs the guest\n`);
  const shown = (category: Category) => {
    const decoder = new StringDecoder('utf8');
    return (bytes: Uint8Array) => {
      say(category, decoder.write(Buffer.from(bytes)));
      return drained();
    };
  };
  machine.onOutput(shown('stdout'));
  machine.onLog(shown('stderr'));
}
