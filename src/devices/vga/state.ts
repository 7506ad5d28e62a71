/** A VGA's state as plain data. */

import { decodeBase64, encodeBase64 } from '../base64.js';
import { booleanField, bytesField, DeviceStateError, registerField, stateFields } from '../state.js';
import type { Dac } from './dac.js';
import type { DispiState } from './dispi.js';
import type { DisplayAdapter } from './display.js';
import type { Planes } from './planes.js';
import { masks, type Registers, type Unit, units } from './registers.js';

export interface VgaSaved extends Record<Unit, number[]> {
  /** The index ports of sequencer, CRTC, graphics and attribute controller. */
  indices: number[];
  miscellaneous: number;
  enabled: number;
  paletteInUse: boolean;
  addressNext: boolean;
  colours: number[];
  dacMask: number;
  dacState: number;
  dacRead: number;
  dacWrite: number;
  dacPart: number;
  latch: number;
  /**
   * Video memory in base64: the four planes, a byte of each in turns. Empty for a display adapter's, which the machine
   * saves with its RAM.
   */
  memory: string;
  /** Bochs' display interface; null for a VGA without it. */
  display: DispiState | null;
}

/** The parts of a VGA that belong to its state. */
export interface VgaParts {
  readonly registers: Registers;
  readonly dac: Dac;
  readonly planes: Planes;
  readonly display: DisplayAdapter | undefined;
  addressNext: boolean;
  enabled: number;
}

export function saveVga({ registers, dac, planes, display, addressNext, enabled }: VgaParts): VgaSaved {
  return {
    sequencer: [...registers.sequencer],
    crtc: [...registers.crtc],
    graphics: [...registers.graphics],
    attribute: [...registers.attribute],
    indices: units.map((unit) => registers.index[unit]),
    miscellaneous: registers.miscellaneous,
    enabled,
    paletteInUse: registers.paletteInUse,
    addressNext,
    colours: [...dac.table],
    dacMask: dac.mask,
    dacState: dac.state,
    dacRead: dac.readAddress,
    dacWrite: dac.writeAddress,
    dacPart: dac.part,
    latch: planes.latch >>> 0,
    memory: display?.isLent === true ? '' : encodeBase64(memoryOf(planes)),
    display: display?.interface.save() ?? null,
  };
}

function memoryOf({ words }: Planes): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** Checks everything, then loads it. @throws DeviceStateError */
export function loadVga(vga: VgaParts, state: unknown): void {
  const fields = stateFields('vga', state, saveVga(vga), { display: null });
  const register = (name: keyof VgaSaved, mask: number) => registerField('vga', name, fields[name], mask);
  const list = (name: keyof VgaSaved, length: number): number[] => {
    const bytes = bytesField('vga', name, fields[name], length);
    if (bytes.length !== length) throw new DeviceStateError('vga', `'${name}' has not ${length} bytes`);
    return bytes;
  };
  const values = units.map((unit) => {
    const bytes = list(unit, masks[unit].length);
    return bytes.map((byte, i) => registerField('vga', `${unit}[${i}]`, byte, masks[unit][i]!));
  });
  const indices = list('indices', units.length);
  registerField('vga', 'indices[3]', indices[3], 0x1f);
  const most = vga.display === undefined ? 0x3f : 0xff;
  const colours = list('colours', 768).map((part, i) => registerField('vga', `colours[${i}]`, part, most));
  const dac = {
    mask: register('dacMask', 0xff),
    readAddress: register('dacRead', 0xff),
    writeAddress: register('dacWrite', 0xff),
    part: register('dacPart', 3),
    state: register('dacState', 3) === 3 ? (3 as const) : (0 as const),
  };
  if (dac.part === 3) throw new DeviceStateError('vga', "'dacPart' is 3: colours have three parts");
  const miscellaneous = register('miscellaneous', 0xef);
  const enabled = register('enabled', 1);
  const paletteInUse = booleanField('vga', 'paletteInUse', fields.paletteInUse);
  const addressNext = booleanField('vga', 'addressNext', fields.addressNext);
  const { latch, memory } = fields;
  if (!Number.isInteger(latch) || (latch as number) < 0 || (latch as number) > 0xffffffff)
    throw new DeviceStateError('vga', `'latch' is ${String(latch)}, not 32 bits`);
  const size = vga.display?.isLent === true ? 0 : vga.planes.words.byteLength;
  const bytes = typeof memory === 'string' ? decodeBase64(memory, size) : undefined;
  if (bytes === undefined) throw new DeviceStateError('vga', `'memory' is not ${size} bytes in base64`);

  const { registers, planes, display } = vga;
  if (display === undefined) {
    if (fields.display !== null) throw new DeviceStateError('vga', "'display' is of a display adapter");
  } else {
    display.interface.load('vga', fields.display);
    vga.dac.isWide = display.interface.wideColours;
    planes.bank = display.interface.on && display.interface.bits === 4 ? display.interface.bank : 0;
  }
  for (const [i, unit] of units.entries()) {
    registers[unit].set(values[i]!);
    registers.index[unit] = indices[i]!;
  }
  Object.assign(registers, { miscellaneous, paletteInUse });
  Object.assign(vga, { enabled, addressNext });
  vga.dac.table.set(colours);
  Object.assign(vga.dac, dac);
  planes.latch = latch as number;
  memoryOf(planes).set(bytes);
}
