import { errnoNumbers } from './errno.js';
import { callFailed } from './errors.js';
import { Handle } from './handle.js';
import { EFD_CLOEXEC, EFD_NONBLOCK, libc } from './libc.js';

/** A counter that KVM writes (`Vm.addIoEvent`), or that notifies KVM (`Vm.addIrqEvent`); see eventfd(2). */
export class EventFd extends Handle {
  readonly #count = new BigUint64Array(1);

  private constructor(fd: number) {
    super('the eventfd', fd);
  }

  static create(): EventFd {
    const fd = libc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) throw callFailed('eventfd', libc().errno());
    return new EventFd(fd);
  }

  /** Adds to the counter. */
  signal(count = 1n): void {
    this.#count[0] = count;
    if (Number(this.libc.write(this.fd, this.#count, 8)) !== 8) throw callFailed('write', this.libc.errno());
  }

  /** Reads the counter and sets it to 0; 0 where nothing was added. */
  take(): bigint {
    if (Number(this.libc.read(this.fd, this.#count, 8)) === 8) return this.#count[0]!;
    const errno = this.libc.errno();
    if (errno === errnoNumbers.EAGAIN) return 0n;
    throw callFailed('read', errno);
  }
}
