/**
 * The target description for gdb: the CPU's architecture and registers (GDB manual, appendix G).
 *
 * @module
 */
import { namedBits } from '../../x86/index.js';
import type { CodeBits } from '../mode.js';

export interface GdbRegister {
  /** As gdb calls it. */
  name: string;
  bits: number;
  type: string;
  /** As `registerOf` calls it. */
  source: string;
}

interface Feature {
  name: string;
  types: string;
  registers: readonly GdbRegister[];
}

export interface Description {
  architecture: string;
  /** By gdb's numbers. */
  registers: readonly GdbRegister[];
  xml: string;
}

const reg = (name: string, bits: number, type = `int${bits}`, source = name): GdbRegister => ({
  name,
  bits,
  type,
  source,
});

/** The order of gdb's own descriptions; its 64-bit one is not that of the encoding. */
const general32 = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const general64 = ['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp'];
const segments = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'];
const x87Control = ['fctrl', 'fstat', 'ftag', 'fiseg', 'fioff', 'foseg', 'fooff', 'fop'];

/** A flags type: names by bit. */
function flags(id: string, size: number, names: readonly (readonly [bit: number, name: string])[]): string {
  const fields = names.map(([bit, name]) => `<field name="${name}" start="${bit}" end="${bit}"/>`);
  return `<flags id="${id}" size="${size}">${fields.join('')}</flags>`;
}

const { rflags, cr0, cr4, efer } = namedBits;

const vector = `<vector id="v4f" type="ieee_single" count="4"/><vector id="v2d" type="ieee_double" count="2"/><vector id="v16i8" type="int8" count="16"/><vector id="v8i16" type="int16" count="8"/><vector id="v4i32" type="int32" count="4"/><vector id="v2i64" type="int64" count="2"/><union id="vec128"><field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/><field name="v16_int8" type="v16i8"/><field name="v8_int16" type="v8i16"/><field name="v4_int32" type="v4i32"/><field name="v2_int64" type="v2i64"/><field name="uint128" type="uint128"/></union>`;

function features(wide: boolean): Feature[] {
  const bits = wide ? 64 : 32;
  const letter = wide ? 'r' : 'e';
  const pointers = new Set(['sp', 'bp']);
  const general = (wide ? general64 : general32).map((name) =>
    reg(`${letter}${name}`, bits, pointers.has(name) ? 'data_ptr' : `int${bits}`, `r${name}`),
  );
  const upper = wide ? Array.from({ length: 8 }, (_, n) => reg(`r${n + 8}`, 64)) : [];
  const control = (name: string) => reg(name, bits, `${name}_flags`);
  const size = bits / 8;
  return [
    {
      name: 'org.gnu.gdb.i386.core',
      types: flags('i386_eflags', 4, rflags),
      registers: [
        ...general,
        ...upper,
        reg(`${letter}ip`, bits, 'code_ptr', 'pc'),
        reg('eflags', 32, 'i386_eflags', 'rflags'),
        ...segments.map((name) => reg(name, 32)),
        ...Array.from({ length: 8 }, (_, n) => reg(`st${n}`, 80, 'i387_ext')),
        ...x87Control.map((name) => reg(name, 32)),
      ],
    },
    {
      name: 'org.gnu.gdb.i386.sse',
      types: vector,
      registers: [
        ...Array.from({ length: wide ? 16 : 8 }, (_, n) => reg(`xmm${n}`, 128, 'vec128')),
        reg('mxcsr', 32),
      ],
    },
    ...(wide
      ? [
          {
            name: 'org.gnu.gdb.i386.segments',
            types: '',
            registers: [reg('fs_base', 64, 'int64'), reg('gs_base', 64, 'int64')],
          },
        ]
      : []),
    {
      name: 'org.terrarium.control',
      types: flags('cr0_flags', size, cr0) + flags('cr4_flags', size, cr4) + flags('efer_flags', size, efer),
      registers: [
        ...(wide ? [] : [reg('fs_base', 32), reg('gs_base', 32)]),
        control('cr0'),
        reg('cr2', bits, 'data_ptr'),
        reg('cr3', bits, 'data_ptr'),
        control('cr4'),
        ...(wide ? [reg('cr8', 64)] : []),
        control('efer'),
      ],
    },
  ];
}

const architectures: Readonly<Record<CodeBits, string>> = { 16: 'i8086', 32: 'i386', 64: 'i386:x86-64' };

function describe(bits: CodeBits): Description {
  const parts = features(bits === 64);
  let number = 0;
  const shown = parts.map(({ name, types, registers }) => {
    const lines = registers.map(
      (one) => `<reg name="${one.name}" bitsize="${one.bits}" type="${one.type}" regnum="${number++}"/>`,
    );
    return `<feature name="${name}">${types}${lines.join('')}</feature>`;
  });
  const architecture = architectures[bits];
  const xml = `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0"><architecture>${architecture}</architecture><osabi>none</osabi>${shown.join('')}</target>`;
  return { architecture, registers: parts.flatMap(({ registers }) => registers), xml };
}

/** The description of each width of code. */
export const descriptions: Readonly<Record<CodeBits, Description>> = {
  16: describe(16),
  32: describe(32),
  64: describe(64),
};
