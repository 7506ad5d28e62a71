/**
 * A PC's BIOS that runs in TypeScript: its ROM (rom/bios.S) has only entries, which write the address of the caller's
 * registers to the trap port. For the machine it is a device like any other. Its manual is docs/bios.md.
 *
 * @module
 */
import type { GuestMemory } from '../../memory/index.js';
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  MemoryRange,
  PortRange,
} from '../contract/index.js';
import type { Drives } from '../disk/index.js';
import { DeviceStateError, registerField, stateFields } from '../state.js';
import { type Bootable, loadSystem, USUAL_ORDER } from './boot.js';
import { Calls } from './calls.js';
import { textOf } from './characters.js';
import { BiosDrives } from './drives.js';
import { Guest } from './guest.js';
import type { MemoryMapEntry, Pc } from './pc.js';
import { powerUp, startChips } from './power-up.js';
import { ROM_SEGMENT, ROM_SIZE, romImage } from './rom/rom.js';
import { MOST_TYPED_AHEAD } from './services/keyboard/buffer.js';
import { STATIC_TABLE, staticTable } from './services/video/information.js';

/** The port to which the ROM reports a call: the frame's address, SS in the upper half and SP in the lower. */
export const BIOS_PORT = 0xb105;

export interface BiosOptions {
  /** Bytes of RAM from address 0. */
  memory: number;
  /** The memory map. Default: RAM from address 0 alone. */
  map?: (memory: GuestMemory) => readonly MemoryMapEntry[];
  drives?: Drives;
  /** The order in which drives are tried: `a,c,d`. */
  order?: string;
  /** Text that programs write to the screen also goes there, as UTF-8. */
  print?: (text: string) => void;
  /** The interrupt controllers are devices: then the machine starts with the boot sector, and the ROM's start has been done. */
  started?: boolean;
}

export interface BiosState {
  /** The number of the CD that emulates a disk, or was booted; null where none was. */
  emulator: number | null;
  /** Keys that are waiting for room in the keyboard buffer. */
  typedAhead: number[];
}

/** See the module's comment. */
export class Bios implements Device {
  readonly name = 'bios';
  readonly ports: readonly PortRange[] = [{ first: BIOS_PORT, count: 1, width: 4 }];
  readonly memory: readonly [MemoryRange] = [
    { address: ROM_SEGMENT * 16, size: ROM_SIZE, backing: 'ram', overRam: true },
  ];
  readonly #options: BiosOptions;
  readonly #drives: BiosDrives;
  #pc: Pc | undefined;
  readonly #typedAhead: number[] = [];
  #host: DeviceHost | undefined;
  /** Calls of interrupts without a handler, by number. */
  readonly unserved = new Map<number, number>();
  readonly #calls = new Calls((vector) => this.unserved.set(vector, (this.unserved.get(vector) ?? 0) + 1));

  constructor(options: BiosOptions) {
    this.#options = options;
    this.#drives = new BiosDrives(options.drives);
  }

  attach(host: DeviceHost): void {
    const { bus, windows } = host;
    if (bus === undefined || windows === undefined) return;
    this.#host = host;
    const rom = windows.bytes(this.memory[0]);
    rom.set(romImage());
    rom.set(staticTable(), STATIC_TABLE);
    const { memory: ram, order, print = () => {}, map } = this.#options;
    this.#pc = {
      guest: new Guest(host.memory, bus),
      bus,
      clock: host.clock,
      drives: this.#drives,
      order,
      ram,
      map: map?.(host.memory) ?? [{ address: 0, size: ram, type: 1 }],
      typedAhead: this.#typedAhead,
      videoRom: ROM_SEGMENT,
      print: (character) => print(textOf(character)),
      stop: (reason) => host.stop(reason),
      reset: (how) => host.reset(how),
      powerOff: (how) => host.stop(`the guest switched the machine off (${how})`),
    };
  }

  /** Does the ROM's work up to INT 19h, and loads the system. For a complete machine. */
  start(): Bootable | string {
    const pc = this.prepare();
    return loadSystem(pc, pc.order ?? USUAL_ORDER);
  }

  /** The same without INT 19h. @param chips false where the interrupt controllers do not answer here */
  prepare(chips = true): Pc {
    const pc = this.#pc!;
    if (chips) startChips(pc);
    powerUp(pc, true);
    return pc;
  }

  /** A program recognizes this BIOS by the port. */
  readPort(): number {
    return 0xb1;
  }

  writePort(_port: number, size: AccessSize, value: number): void {
    const pc = this.#pc;
    if (pc === undefined || size !== 4) return;
    this.#calls.serve(this.#host!.memory, value, pc);
  }

  remark(isOver = false): string | undefined {
    const now = this.#host?.clock.now() ?? 0;
    return isOver ? undefined : this.#calls.habits.remark(now);
  }

  describeAccess({ write }: Access): AccessWords | undefined {
    return write ? this.#calls.describe() : undefined;
  }

  save(): BiosState {
    const { emulator } = this.#drives;
    return { emulator: emulator < 0 ? null : emulator, typedAhead: [...this.#typedAhead] };
  }

  #checkedKeys(keys: unknown): number[] {
    if (!Array.isArray(keys) || keys.length > MOST_TYPED_AHEAD)
      throw new DeviceStateError(this.name, `'typedAhead' is not a list of at most ${MOST_TYPED_AHEAD} keys`);
    return keys.map((key, i) => registerField(this.name, `typedAhead[${i}]`, key, 0xffff));
  }

  load(state: unknown): void {
    const { emulator, typedAhead } = stateFields(this.name, state, this.save(), { typedAhead: [] });
    this.#typedAhead.splice(0, MOST_TYPED_AHEAD, ...this.#checkedKeys(typedAhead));
    if (emulator === null) {
      this.#drives.emulate(undefined);
      return;
    }
    const cd = this.#drives.get(registerField(this.name, 'emulator', emulator, 0xff));
    const entry = cd?.kind === 'cdrom' ? this.#drives.elTorito(cd) : 'no CD';
    if (typeof entry === 'string')
      throw new DeviceStateError(this.name, `'emulator' is ${String(emulator)}: ${entry}`);
    this.#drives.emulate(entry, cd);
  }
}
