import { TerrariumError } from '../../../errors.js';

/** The software CPU does not support a request, or was used wrongly. */
export class SoftError extends TerrariumError {
  constructor(
    code: 'ELIMIT' | 'ECLOSED' | 'EINVAL' | 'ENOLOG' | 'ENOSLOT' | 'ENOTREADY',
    message: string,
    hint: string,
  ) {
    super(code, message, { hint });
  }
}
