import { TerrariumError } from '../../../errors.js';
import { errnoName, errnoNumbers } from './errno.js';
import { Handle } from './handle.js';
import { libc, O_CLOEXEC, O_NONBLOCK, O_RDWR } from './libc.js';

/** <linux/if_tun.h> and <linux/if.h>. */
const TUNSETIFF = 0x4004_54ca;
const IFF_TAP = 2;
const IFF_NO_PI = 0x1000;
const IFREQ_SIZE = 40;
const NAME_SIZE = 16;
const POLLIN = 1;
/** How soon a reader that waits for frames notices a closed device, in milliseconds. */
const POLL_MS = 200;
const MOST_FRAME = 65_549;

/** A network interface of the host whose frames come to this process (the kernel's networking/tuntap.rst). */
export class Tap extends Handle {
  /** The name that the host shows. */
  readonly interfaceName: string;
  readonly #frame = new Uint8Array(MOST_FRAME);
  #closed = false;
  #watched = false;

  private constructor(fd: number, name: string) {
    super('the TAP device', fd);
    this.interfaceName = name;
  }

  /**
   * Opens an interface, or makes it where the user may.
   * @throws TerrariumError that names the missing right
   */
  static open(name: string): Tap {
    if (!/^[\w.-]{1,15}$/.test(name))
      throw new TerrariumError('ETAP', `'${name}' is not a name of a network interface`, {
        hint: 'a name has 1 to 15 letters, digits, dots, - and _, such as tap0',
      });
    const c = libc();
    const fd = c.open('/dev/net/tun', O_RDWR | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0) throw failed(name, 'open of /dev/net/tun', c.errno());
    const request = new Uint8Array(IFREQ_SIZE);
    new TextEncoder().encodeInto(name, request);
    new DataView(request.buffer).setUint16(NAME_SIZE, IFF_TAP | IFF_NO_PI, true);
    if (c.ioctlPointer(fd, TUNSETIFF, request) < 0) {
      const errno = c.errno();
      c.close(fd);
      throw failed(name, 'TUNSETIFF', errno);
    }
    return new Tap(fd, name);
  }

  /** The next frame that the host sends; undefined where there is none now. The bytes belong to the caller. */
  read(): Uint8Array | undefined {
    const length = Number(this.libc.read(this.fd, this.#frame, MOST_FRAME));
    return length > 0 ? this.#frame.slice(0, length) : undefined;
  }

  /** False where the host does not accept it: the interface is down, or its queue is full. */
  write(frame: Uint8Array): boolean {
    return Number(this.libc.write(this.fd, frame, frame.length)) === frame.length;
  }

  /** Calls `arrived` whenever there are frames to read, until the device is closed. */
  watch(arrived: () => void): void {
    const descriptor = new Int32Array([this.fd, POLLIN]);
    const wait = () => {
      this.libc.pollLater(descriptor, 1, POLL_MS, (_error, ready) => {
        if (this.#closed) super[Symbol.dispose]();
        else {
          if (ready > 0) arrived();
          wait();
        }
      });
    };
    this.#watched = true;
    wait();
  }

  /**
   * The descriptor is closed when no reader waits for it any more, since its number may then be reused for another
   * file.
   */
  override [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#watched) super[Symbol.dispose]();
  }
}

function failed(name: string, call: string, errno: number): TerrariumError {
  const error = errnoName(errno);
  const make = `sudo ip tuntap add ${name} mode tap user $USER && sudo ip link set ${name} up`;
  const hints: Record<number, string> = {
    [errnoNumbers.EPERM]: `only root may make an interface; have one made: ${make}`,
    [errnoNumbers.EBUSY]:
      'another program has it open: end that program, or give this machine another interface',
    [errnoNumbers.EINVAL]: 'an interface of this name is not a TAP device: use another name',
    [errnoNumbers.EACCES]: 'this user may not open /dev/net/tun: get the right, or use --net user',
    [errnoNumbers.ENOENT]: 'this kernel has no TUN/TAP: sudo modprobe tun, or use --net user',
  };
  const hint = hints[errno] ?? 'a network without privileges: --net user';
  return new TerrariumError('ETAP', `--net tap=${name}: ${call}: ${error}`, { hint });
}
