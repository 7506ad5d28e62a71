/** A VGA's state as plain data. */

import { decodeBase64, encodeBase64 } from '../base64.js';
import { booleanField, bytesField, DeviceStateError, registerField, stateFields } from '../state.js';
import type { Dac } from './dac.js';
import { PLANE_SIZE, type Planes } from './planes.js';
import { masks, type Registers, type Unit, units } from './registers.js';

const MEMORY = PLANE_SIZE * 4;

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
  /** The four planes, a byte of each in turns, in base64. */
  memory: string;
}

/** The parts of a VGA that make its state. */
export interface VgaParts {
  readonly registers: Registers;
  readonly dac: Dac;
  readonly planes: Planes;
  addressNext: boolean;
  enabled: number;
}

export function saveVga({ registers, dac, planes, addressNext, enabled }: VgaParts): VgaSaved {
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
    memory: encodeBase64(new Uint8Array(planes.words.buffer)),
  };
}

/** Checks everything, then takes it. @throws DeviceStateError */
export function loadVga(vga: VgaParts, state: unknown): void {
  const fields = stateFields('vga', state, saveVga(vga));
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
  const colours = list('colours', 768).map((part, i) => registerField('vga', `colours[${i}]`, part, 0x3f));
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
  const bytes = typeof memory === 'string' ? decodeBase64(memory, MEMORY) : undefined;
  if (bytes === undefined) throw new DeviceStateError('vga', `'memory' is not ${MEMORY} bytes in base64`);

  const { registers, planes } = vga;
  for (const [i, unit] of units.entries()) {
    registers[unit].set(values[i]!);
    registers.index[unit] = indices[i]!;
  }
  Object.assign(registers, { miscellaneous, paletteInUse });
  Object.assign(vga, { enabled, addressNext });
  vga.dac.table.set(colours);
  Object.assign(vga.dac, dac);
  planes.latch = latch as number;
  new Uint8Array(planes.words.buffer).set(bytes);
}
