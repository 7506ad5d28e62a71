/**
 * The engine area: decoded code and its translations, and the translation of addresses.
 *
 * @module
 */

/** A block of two operations, decoded for a single use. */
export const SCRATCH = 0x60000;

/** Blocks by the low bits of their address. */
export const JUMP_CACHE = 0x80000;
export const JUMP_ENTRIES = 16384;
/** The target of entries without a block: a block that matches no address. */
export const NO_BLOCK = 0x62000;

/**
 * Address translation: seven tables (see cpu/tlb.ts) of entries of 32 bytes, by the linear page's low bits. Then the current
 * table, a bit for each table in use, and the range of linear addresses that large pages map.
 */
export const TLB = 0x90000;
export const TLB_SIZE = 0x8000;
export const TLB_ENTRIES = 1024;
export const TLB_NOW = 0x40000;
export const TLB_USED = 0x40004;
export const TLB_LARGE_FIRST = 0x40008;
export const TLB_LARGE_LAST = 0x40010;
/** The address of the CPU's own tables: TLB for the first CPU. */
export const TLB_HERE = 0x40018;
/** The linear page that may be read, and written on the fast path, through this entry; odd where there is none. */
export const TLB_READ = 0;
export const TLB_WRITE = 8;
/** The difference from a linear address to the address in memory, modulo 2^32. */
export const TLB_ADDEND = 16;
/** Not 0: the page may be written, though perhaps not on the fast path, because it holds decoded code. */
export const TLB_MAY_WRITE = 20;
/** The linear page that code may be fetched from. */
export const TLB_EXECUTE = 24;

/** Blocks that `enter` has found hot since the translator's last check: their number, and a list of them. */
export const HOT_COUNT = 0x66400;
export const HOT_BLOCKS = 0x66410;
export const MAX_HOT = 64;
/** A block is hot after this many calls of `enter`; 0: no translator. */
export const HOT_HEAT = 0x66404;
/** Handlers from this number on are translations. And the number of nested calls of translated code. */
export const FIRST_TRANSLATION = 0x66408;
export const TRANSLATED_CALLS = 0x6640c;
/**
 * The block after the innermost of these calls, or NO_BLOCK; and how many instructions must be left in the budget
 * there.
 */
export const RETURN_BLOCK = 0x6653c;
export const RETURN_NEEDED = 0x66540;
/**
 * CLOCK at the end of a turn whose last store may be late. Then the late store: its place, its length in bytes (0:
 * there is none), the number of stores of the instruction, and its value.
 */
export const LATE_AT = 0x66548;
export const LATE_PLACE = 0x66550;
export const LATE_SIZE = 0x66554;
export const LATE_COUNT = 0x66558;
export const LATE_VALUE = 0x66560;

/**
 * The last block that began in the middle of another, or 0, and how many more of them this run may make: see `find`. The CPUs
 * share them, as they share the blocks.
 */
export const STRAY = 0x66568;
export const STRAYS_LEFT = 0x6656c;
/**
 * Always 0. Translated code of flat segments treats it as 1: such a function is entered only where each target that is
 * relative to one of its instructions is within the code segment and canonical.
 */
export const NEAR_IS_WITHIN = 0x66538;
/** Instructions that ran translated. */
export const TRANSLATED_INSTRUCTIONS = 0x66520;
/** How often translated code was left before its end, because of an unusual case. */
export const LEFT_COUNT = 0x66530;
/**
 * The places of that, and those where translated code continued in code that is not translated: RIP (u64), the number
 * of the operation's handler, or 0 for the latter (u32), how often (u32). The most frequent places are kept.
 */
export const LEFT_PLACES = 0x66600;
export const LEFT_PLACE = 16;
export const MAX_LEFT_PLACES = 64;

// A translation's record: an operation whose handler is the translated function, and the blocks that it contains.
export const TRANSLATION_BLOCKS = 4;
/** How often it was left early, and the limit at which the translator is notified; 0: never. */
export const TRANSLATION_LEFT = 8;
export const TRANSLATION_MOST_LEFT = 12;
export const TRANSLATION_LIST = 32;

/** Guest pages that hold decoded code, for up to 4 GiB of them: a bit for each 64 bytes of code (u64), their first block (u32). */
export const PAGES = 0x100000;
export const PAGE_RECORD = 16;
export const PAGE_BLOCKS = 8;
/** Bytes of the page, from the first to before the other (u16 each), that are in no block, though blocks are near: the last ones found. */
export const PAGE_GAP_START = 12;
export const PAGE_GAP_END = 14;
export const POOL = 0x1100000;
export const POOL_END = 0x1fc0000;
/**
 * With several CPUs, the end of the pool belongs to them: each has an area for its state while another one uses the
 * fixed addresses above, and its TLB tables. See cpu/core/cpus.ts.
 */
export const CPU_AREA = 0x42000;
export const MAX_CPUS = 16;
// In an area: the state below REGIONS at the same distance, then what begins at TLB_NOW, XMM_REGISTERS and FAULT_COUNT, with
// their lengths; the data of a string instruction, the XSAVE components of another CPU, and the tables.
export const AREA_SYSTEM = 0x1000;
export const SYSTEM_BYTES = 0x1d4;
export const AREA_VECTORS = 0x1400;
export const VECTOR_BYTES = 0x118;
export const AREA_FAULTS = 0x1800;
export const FAULT_BYTES = 0x340;
export const AREA_STRING = 0x1c00;
export const AREA_EXTENDED = 0x2000;
export const AREA_TLB = 0xa000;
/**
 * A bit for each page of RAM that was written while LOGS_WRITES was set. Then the memory's own marks, for writes from
 * outside.
 */
export const DIRTY = 0x1fc0000;
export const DIRTY_SIZE = 0x20000;

// A block: a header, its operations, and a copy of its bytes.
export const BLOCK_START = 0;
/** Mode and epoch in one: a block is valid where its start address matches and this is the current value. */
export const BLOCK_KEY = 4;
export const BLOCK_LENGTH = 8;
export const BLOCK_COUNT = 12;
/** The next block of the same page. */
export const BLOCK_NEXT = 16;
export const BLOCK_MODE = 20;
/** The value of LINKS when the block was last entered by `enter`. */
export const BLOCK_LINKS = 24;
/** The start of the block: its operations, or the record of its translation (see translate/). */
export const BLOCK_FIRST = 28;
/** How often `enter` entered the block. */
export const BLOCK_HEAT = 32;
export const BLOCK_OPS = 40;

// An operation.
export const OP_SIZE = 32;
/** The index of its function in the table; the first is handler 0, for opcodes that do not exist. */
export const OP_HANDLER = 0;
export const FIRST_HANDLER = 1;
/** Register operands, as offsets from REGS. */
export const OP_RM = 2;
export const OP_REG = 3;
/** The parts of an address. */
export const OP_BASE = 4;
export const OP_INDEX = 5;
export const OP_SCALE = 6;
export const OP_SEGMENT = 7;
/** 64 minus the address size in bits. */
export const OP_ADDRESS = 8;
export const OP_LENGTH = 9;
/** First byte, from the block's start. */
export const OP_OFFSET = 10;
/** One byte. */
export const OP_FLAGS = 12;
/** The general register of VEX.vvvv, as an offset from REGS. */
export const OP_VEX = 13;
/** Operand size in bytes. */
export const OP_WIDTH = 14;
/** The ModRM byte. */
export const OP_MODRM = 15;
export const OP_IMMEDIATE = 16;
export const OP_DISPLACEMENT = 24;
/** Branches have no displacement: instead, the blocks of their last targets, plus 1 where that is the same page. */
export const OP_TAKEN = 24;
export const OP_NOT_TAKEN = 28;

export const FLAG_REP = 1;
export const FLAG_REPNE = 2;
export const FLAG_LOCK = 4;
export const FLAG_MEMORY = 8;
/** A segment was named by a prefix, even if that has no effect. */
export const FLAG_SEGMENT = 16;
