import { TerrariumError } from '../errors.js';

/** A device's handler threw. The guest has stopped; the machine can still be inspected and disposed. */
export class DeviceError extends TerrariumError {
  readonly device: string;

  constructor(device: string, what: string, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    super('EDEVICE', `device '${device}' failed in ${what}: ${message}`, {
      hint: 'the guest was stopped at this access; correct the device; the error that it threw is the cause of this one',
      cause,
    });
    this.device = device;
  }
}
