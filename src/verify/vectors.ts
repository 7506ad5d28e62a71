/**
 * The vector registers of a test. Their values come from a table in the guest, and only registers that the instruction may use
 * are loaded and stored: a load is nine bytes of code, and there are sixteen registers.
 *
 * @module
 */
import { type Encoding, type Opcode, type Random, randomMxcsr, randomVector } from '../isa/index.js';
import { randomNumbers } from '../random.js';

/** Where the guest has the table: vectors, then values of MXCSR. After the data window, at which tests aim. */
const TABLE = 0xf0000;
const VECTORS = 1024;
const CONTROLS = 1024;
const CONTROL_TABLE = TABLE + 16 * VECTORS;

/** A test's initial values: positions in the table. */
export interface VectorState {
  control: number;
  /** Registers by number, and each one's value. */
  registers: readonly { number: number; value: number }[];
}

/** How many registers a record has room for. */
export const KEPT_VECTORS = 3;

function makeTable(): DataView {
  const random = randomNumbers(1);
  const table = new DataView(new ArrayBuffer(16 * VECTORS + 4 * CONTROLS));
  for (let n = 0; n < VECTORS; n++) randomVector(table, 16 * n, random);
  for (let n = 0; n < CONTROLS; n++) table.setUint32(16 * VECTORS + 4 * n, randomMxcsr(random), true);
  return table;
}

let made: DataView | undefined;
const table = () => {
  made ??= makeTable();
  return made;
};

/** The table, for guest memory. */
export const vectorTable = (): { address: number; bytes: Uint8Array } => ({
  address: TABLE,
  bytes: new Uint8Array(table().buffer),
});

/** True for the instructions on XMM registers. Those on MMX registers belong with the x87 FPU. */
export const usesVectors = ({ operands }: Opcode): boolean =>
  operands.some((operand) => /^[VWU]/.test(operand)) && !operands.some((operand) => /^[PQN]/.test(operand));

/** Values for the registers that an instruction names, and for XMM0, which some use without naming it. */
export function randomVectors({ modrm, rex, memory }: Encoding, random: Random): VectorState {
  const numbers = new Set([0, ((modrm >> 3) & 7) | ((rex & 4) << 1)]);
  if (memory === undefined) numbers.add((modrm & 7) | ((rex & 1) << 3));
  return {
    control: random(CONTROLS),
    registers: [...numbers].map((number) => ({ number, value: random(VECTORS) })),
  };
}

/** Data for memory operands: half of it vectors of the table. */
export function fillData(data: Uint32Array, random: Random): void {
  const words = new Uint32Array(table().buffer);
  for (let n = 0; n < data.length; n += 4) {
    const from = random(2) === 0 ? 4 * random(VECTORS) : -1;
    for (let word = 0; word < 4; word++) data[n + word] = from < 0 ? random(2 ** 32) : words[from + word]!;
  }
}

const absolute = (reg: number, address: number) => [0x04 | ((reg & 7) << 3), 0x25, ...dword(address)];
const dword = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const rexOf = (number: number) => (number > 7 ? [0x44] : []);

/** LDMXCSR, and MOVUPS to each register. */
export function loadVectors({ control, registers }: VectorState): number[] {
  return [
    ...[0x0f, 0xae, ...absolute(2, CONTROL_TABLE + 4 * control)],
    ...registers.flatMap(({ number, value }) => [
      ...rexOf(number),
      ...[0x0f, 0x10, ...absolute(number, TABLE + 16 * value)],
    ]),
  ];
}

/** STMXCSR, and MOVUPS from each register: MXCSR lies at an address, the registers from 8 bytes after it on. */
export function keepVectors({ registers }: VectorState, address: number): number[] {
  return [
    ...[0x0f, 0xae, ...absolute(3, address)],
    ...registers.flatMap(({ number }, place) => [
      ...rexOf(number),
      ...[0x0f, 0x11, ...absolute(number, address + 8 + 16 * place)],
    ]),
  ];
}

/** The names of the stored registers, in the order of the record. */
export const vectorNames = ({ registers }: VectorState): string[] => [
  'mxcsr',
  ...registers.map(({ number }) => `xmm${number}`),
];

/** A test's initial values, in the same order, as 16-byte numbers. */
export function vectorsBefore({ control, registers }: VectorState): bigint[] {
  const value = (at: number) => (table().getBigUint64(at + 8, true) << 64n) | table().getBigUint64(at, true);
  const mxcsr = BigInt(table().getUint32(16 * VECTORS + 4 * control, true));
  return [mxcsr, ...registers.map((one) => value(16 * one.value))];
}
