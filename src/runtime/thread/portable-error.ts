import { isTerrariumError, TerrariumError } from '../../errors.js';

/** An error in a form that crosses threads and processes: `structuredClone` would lose its class and its fields. */
export interface PortableError {
  name: string;
  code: string;
  message: string;
  hint?: string;
  stack?: string;
  /** The cause of the error, such as an error of a device's handler. */
  cause?: PortableError;
}

/** How many nested causes are kept. */
const DEEPEST = 8;

export function packError(error: unknown, depth = 0): PortableError {
  if (!(error instanceof Error)) return { name: 'Error', code: 'EINTERNAL', message: String(error) };
  const { name, message, stack, cause } = error;
  const { code, hint } = isTerrariumError(error) ? error : { code: 'EINTERNAL', hint: undefined };
  return {
    name,
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && depth < DEEPEST && { cause: packError(cause, depth + 1) }),
  };
}

export function unpackError({ name, code, message, hint, stack, cause }: PortableError): TerrariumError {
  const error = new TerrariumError(code, message, {
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause: unpackError(cause) }),
  });
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
