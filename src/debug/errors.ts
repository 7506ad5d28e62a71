import { TerrariumError } from '../errors.js';

/** A debugger's request that cannot be fulfilled; the message is for the user. */
export class DebugError extends TerrariumError {
  constructor(message: string, hint?: string) {
    super('EDEBUG', message, hint === undefined ? {} : { hint });
  }
}

/** An error's message on one line, for a protocol's reply. */
export function errorText(error: unknown): string {
  const text =
    error instanceof TerrariumError && error.hint !== undefined
      ? `${error.message} (${error.hint})`
      : String((error as Error).message);
  return text.replace(/[^\x20-\x7e\u2013\u2019]+/g, ' ').replace(/\u2019/g, "'");
}
