import { TerrariumError } from '../../errors.js';

/** A source that does not compile, or a compiler that cannot be used. The message has the compiler's own messages. */
export class ToolchainError extends TerrariumError {
  constructor(message: string, hint?: string, cause?: unknown) {
    super('ETOOLCHAIN', message, {
      ...(hint !== undefined && { hint }),
      ...(cause !== undefined && { cause }),
    });
  }
}
