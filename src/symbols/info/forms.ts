import type { DwarfReader } from '../dwarf-reader.js';

/** The value of an attribute, by its class (DWARF 5, 7.5.5). */
export type AttributeValue =
  | bigint
  | boolean
  | string
  /** A block, or an expression. */
  | Uint8Array
  | { address: bigint }
  /** Into `.debug_addr`, from the unit's base. */
  | { addressIndex: number }
  /** Into `.debug_str_offsets`, from the unit's base. */
  | { stringIndex: number }
  | { stringAt: number; inLines: boolean }
  /** Another entry, by its place in `.debug_info`. */
  | { entry: number }
  /** A place in a section of lists, or an index into the unit's table of such places. */
  | { list: number; indexed: boolean };

/** The encoding of numbers in a unit. */
export interface UnitFormat {
  /** Where the unit begins in `.debug_info`. */
  start: number;
  /** Offsets have 8 bytes (DWARF's 64-bit format). */
  wide: boolean;
  addressSize: 4 | 8;
}

/** Reads one value. @throws RangeError for an invalid form, or one that needs another file */
export function readForm(reader: DwarfReader, form: number, unit: UnitFormat): AttributeValue {
  const { wide } = unit;
  switch (form) {
    case 0x01: // DW_FORM_addr
      return { address: unit.addressSize === 8 ? reader.u64() : BigInt(reader.u32()) };
    case 0x03: // DW_FORM_block2
      return reader.block(reader.u16());
    case 0x04: // DW_FORM_block4
      return reader.block(reader.u32());
    case 0x05: // DW_FORM_data2
      return BigInt(reader.u16());
    case 0x06: // DW_FORM_data4
      return BigInt(reader.u32());
    case 0x07: // DW_FORM_data8
      return reader.u64();
    case 0x08: // DW_FORM_string
      return reader.string();
    case 0x09: // DW_FORM_block
    case 0x18: // DW_FORM_exprloc
      return reader.block(reader.number());
    case 0x0a: // DW_FORM_block1
      return reader.block(reader.u8());
    case 0x0b: // DW_FORM_data1
      return BigInt(reader.u8());
    case 0x0c: // DW_FORM_flag
      return reader.u8() !== 0;
    case 0x0d: // DW_FORM_sdata
      return reader.sleb();
    case 0x0e: // DW_FORM_strp
      return { stringAt: reader.offset(wide), inLines: false };
    case 0x0f: // DW_FORM_udata
      return reader.uleb();
    case 0x10: // DW_FORM_ref_addr
      return { entry: reader.offset(wide) };
    case 0x11: // DW_FORM_ref1
      return { entry: unit.start + reader.u8() };
    case 0x12: // DW_FORM_ref2
      return { entry: unit.start + reader.u16() };
    case 0x13: // DW_FORM_ref4
      return { entry: unit.start + reader.u32() };
    case 0x14: // DW_FORM_ref8
      return { entry: unit.start + Number(reader.u64()) };
    case 0x15: // DW_FORM_ref_udata
      return { entry: unit.start + reader.number() };
    case 0x17: // DW_FORM_sec_offset
      return { list: reader.offset(wide), indexed: false };
    case 0x19: // DW_FORM_flag_present
      return true;
    case 0x1a: // DW_FORM_strx
      return { stringIndex: reader.number() };
    case 0x1b: // DW_FORM_addrx
      return { addressIndex: reader.number() };
    case 0x1e: // DW_FORM_data16
      return reader.block(16);
    case 0x1f: // DW_FORM_line_strp
      return { stringAt: reader.offset(wide), inLines: true };
    case 0x20: // DW_FORM_ref_sig8: a type unit, which is not followed
      return reader.u64();
    case 0x22: // DW_FORM_loclistx
    case 0x23: // DW_FORM_rnglistx
      return { list: reader.number(), indexed: true };
    case 0x25: // DW_FORM_strx1
      return { stringIndex: reader.u8() };
    case 0x26: // DW_FORM_strx2
      return { stringIndex: reader.u16() };
    case 0x27: // DW_FORM_strx3
      return { stringIndex: reader.u24() };
    case 0x28: // DW_FORM_strx4
      return { stringIndex: reader.u32() };
    case 0x29: // DW_FORM_addrx1
      return { addressIndex: reader.u8() };
    case 0x2a: // DW_FORM_addrx2
      return { addressIndex: reader.u16() };
    case 0x2b: // DW_FORM_addrx3
      return { addressIndex: reader.u24() };
    case 0x2c: // DW_FORM_addrx4
      return { addressIndex: reader.u32() };
    default:
      throw new RangeError('a form that is unknown, or in another file');
  }
}
