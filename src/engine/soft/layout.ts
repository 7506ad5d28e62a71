/**
 * The layout of the engine area, the first 32 MiB of a VM's memory. Both the WebAssembly program and the TypeScript side import
 * this file, so it holds only numbers.
 *
 * @module
 */

// The x87 FPU. Its registers are R0 to R7 as SDM 1 8.1.2 numbers them, 16 bytes each: significand (u64), sign and exponent
// (u16). ST(i) is R((TOP + i) & 7), and MMi is Ri.
export const FPU_REGISTERS = 0x80;
/** FCW, u16. */
export const FPU_CONTROL = 0x40;
/** FSW, u16, with TOP. */
export const FPU_STATUS = 0x44;
/** As FXSAVE keeps it, u8: bit n is set where Rn is not empty. */
export const FPU_TAGS = 0x48;
/** FOP, u16: 11 bits. */
export const FPU_OPCODE = 0x4c;
/** FIP and FDP: offsets, u64; FCS and FDS: selectors, u16. */
export const FPU_IP = 0x50;
export const FPU_DP = 0x58;
export const FPU_CS = 0x60;
export const FPU_DS = 0x64;

// The general registers, 8 bytes each in the order of their encoding. A byte register is a byte of one of them: AH is
// byte 1 of RAX. The two words after them are not architectural registers: they serve in address computations.
export const REGS = 0x100;
/** Always 0: the base or index of an address that has none. Offsets are from REGS. */
export const REG_ZERO = 128;
/** The instruction pointer at the start of the block that runs: the base of a rip-relative address. */
export const REG_BLOCK = 136;
export const RAX = 0x100;
export const RCX = 0x108;
export const RDX = 0x110;
export const RBX = 0x118;
export const RSP = 0x120;
export const RBP = 0x128;
export const RSI = 0x130;
export const RDI = 0x138;
export const BLOCK_RIP = 0x188;

/** RIP; valid while the CPU does not run. */
export const RIP = 0x190;

// Lazy flags (see cpu/flags.ts): operands and result of the last operation that set the arithmetic flags.
export const FLAG_KIND = 0x1a0;
export const FLAG_CARRY = 0x1a4;
export const FLAG_A = 0x1a8;
export const FLAG_B = 0x1b0;
export const FLAG_RESULT = 0x1b8;
/** The flags of RFLAGS that are not arithmetic. */
export const FLAGS_SYSTEM = 0x1c0;
/** A copy of the lazy flags, 32 bytes, which is restored where a write causes an exit. */
export const FLAG_COPY = 0x1c8;

export const CR0 = 0x200;
export const CR2 = 0x208;
export const CR3 = 0x210;
export const CR4 = 0x218;
export const CR8 = 0x220;
export const EFER = 0x228;
export const APIC_BASE = 0x230;
export const GDT_BASE = 0x238;
export const GDT_LIMIT = 0x240;
export const IDT_BASE = 0x248;
export const IDT_LIMIT = 0x250;
/** The mode of the code, by CR0, CR4, EFER, CS and RFLAGS.VM: bits MODE_*. */
export const MODE = 0x258;
/** The bits of RSP that the stack uses: 16 or 32 (SS.B), or 64. */
export const STACK_MASK = 0x260;
/** The bits of a linear address: 32 outside of 64-bit code. */
export const LINEAR_MASK = 0x268;
export const DEBUG_REGISTERS = 0x270;
/** The current privilege level: SS.DPL, 0 in real-address mode, 3 in virtual-8086 mode. */
export const CPL = 0x2b0;
// Model-specific registers of SYSCALL, SWAPGS and SYSENTER. Those of FS and GS are the segments' bases.
export const STAR = 0x2b8;
export const LSTAR = 0x2c0;
export const CSTAR = 0x2c8;
export const FMASK = 0x2d0;
export const KERNEL_GS_BASE = 0x2d8;
export const SYSENTER_CS = 0x2e0;
export const SYSENTER_ESP = 0x2e8;
export const SYSENTER_EIP = 0x2f0;

export const CR0_WP = 0x10000;
export const CR0_AM = 0x40000;
export const CR0_PG = 0x80000000;
export const CR4_DE = 8;
export const CR4_PSE = 0x10;
export const CR4_PAE = 0x20;
export const CR4_TSD = 4;
export const CR4_UMIP = 0x800;
export const CR4_FSGSBASE = 0x10000;
export const CR4_PGE = 0x80;
export const CR4_PCIDE = 0x20000;
export const CR4_OSXSAVE = 0x40000;
export const EFER_SCE = 1;
export const EFER_LME = 0x100;
export const CR4_LA57 = 0x1000;
export const CR4_SMEP = 0x100000;
export const CR4_SMAP = 0x200000;
export const EFER_LMA = 0x400;
export const EFER_NXE = 0x800;

export const MODE_CODE32 = 1;
export const MODE_CODE64 = 2;
/** Real-address or virtual-8086 mode. */
export const MODE_REAL = 4;
/** 32-bit code whose CS, SS, DS and ES are all of the 4 GiB from 0 on, with a stack of 32 bits. */
export const MODE_FLAT = 8;

// Segments: ES, CS, SS, DS, FS, GS, then TR and LDT, 64 bytes each.
export const SEGMENTS = 0x300;
export const SEGMENT_SIZE = 64;
export const SEG_ES = 0;
export const SEG_CS = 1;
export const SEG_SS = 2;
export const SEG_DS = 3;
export const SEG_FS = 4;
export const SEG_GS = 5;
export const SEG_TR = 6;
export const SEG_LDT = 7;
/** The new stack of a transfer, until nothing can fail any more; used like a segment's number, at 0x62100. */
export const SEG_NEXT_STACK = (0x62100 - 0x300) / 64;
export const SEG_BASE = 0;
/** How many bytes can be read, and written, from offset 0 on. 0 bytes: none, or none on the fast path. */
export const SEG_READABLE = 16;
export const SEG_WRITABLE = 24;
export const SEG_LIMIT = 32;
export const SEG_SELECTOR = 36;
/** The linear address of offset 0: the base, or 0 where 64-bit code ignores it. */
export const SEG_LINEAR = 48;
/** Bits 0–15 as in a descriptor's bits 40–55 (type, S, DPL, P, -, AVL, L, D/B, G); bit 16: unusable. */
export const SEG_ATTRIBUTES = 40;

// The state of the run. First what each CPU has of its own, as are all registers above.
/** Not 0: the current instruction cannot complete. */
export const TROUBLE = 0x500;
/** The exception to deliver (TROUBLE_FAULT). */
export const FAULT_VECTOR = 0x504;
export const FAULT_CODE = 0x508;
/** The operation at which `execute` ended. */
export const CURRENT = 0x50c;
/** Not 0: events must be checked before the next block. */
export const EVENTS = 0x510;
/** A pending interrupt, or -1. */
export const PENDING_VECTOR = 0x514;
export const WINDOW_WANTED = 0x518;
export const NMI_PENDING = 0x51c;
/** The current block; the linear page of the last code fetch, and its address in memory. */
export const BLOCK = 0x520;
export const CODE_PLACE = 0x524;
export const CODE_PAGE = 0x528;
export const NMI_BLOCKED = 0x530;
/** Not 0: an interrupt's delivery needs the monitor's answer, not an instruction. */
export const DELIVERING = 0x534;
/** Not 0: the task was switched, so that later faults belong to the new task. */
export const TASK_SWITCHED = 0x538;
/** Debug exceptions to deliver before the next instruction, as bits of DR6. */
export const TRAPS = 0x53c;

// What the CPUs share, up to EXIT_KIND.
/** Instructions since the CPU was made, as of the last budget. */
export const CLOCK = 0x540;
export const BUDGET = 0x548;
/** `run` ends where CLOCK reaches it. */
export const ALARM = 0x550;
/** Incremented at each entry from the monitor, which may have overwritten code. */
export const EPOCH = 0x558;
/**
 * Incremented where links between blocks of the same page become invalid: code was written, the TLB was flushed, the monitor
 * ran. And the mode and code segment for which it is valid.
 */
export const LINKS = 0x55c;
export const LINK_BASE = 0x560;
export const LINK_KEY = 0x568;
export const LINK_LIMIT = 0x56c;
/** The end of the used part of the block pool, and of the whole. */
export const POOL_NEXT = 0x570;
export const POOL_LIMIT = 0x574;
/** How many slots of the pages are in use; only these are cleared. */
export const MEMORY_PAGES = 0x578;
/** Incremented where all blocks and their translations were dropped. */
export const GENERATION = 0x57c;

/** Not 0: each data access is checked: the guest has enabled a data breakpoint, or a debugger has a watchpoint. */
export const WATCHES_DATA = 0x5d0;
export const WATCHES_GUEST = 1;
export const WATCHES_MONITOR = 2;
/** The instruction's store may come late: see cpu/core/late.ts. */
export const WATCHES_LATE = 4;
/** Not 0: an interrupt was taken since the instruction began, which drops its single-step trap. */
export const INTERRUPTED = 0x5d4;

/** How many iterations of REP INS or REP OUTS are one exit (0: one by one), and of INS the next one to be stored. */
export const BATCH = 0x5d8;
export const BATCH_NEXT = 0x5dc;

/** An exception that another CPU raised and did not deliver, or -1; and its error code (i64), or -1. */
export const PENDING_EXCEPTION = 0x5e4;
export const PENDING_ERROR_CODE = 0x5e8;

// Shared again.
/** Not 0: pages that are written get a mark in DIRTY. */
export const LOGS_WRITES = 0x5f0;
export const REGION_COUNT = 0x5f4;
/** How many CPUs there are, and which one the places of state belong to now. */
export const CPU_COUNT = 0x5f8;
export const CPU_NOW = 0x5fc;

/** Ports that take bytes as a stream: their number, then the first and the last port of each range, 2 bytes each. */
export const STREAM_COUNT = 0x65400;
export const STREAMS = 0x65404;
export const MAX_STREAMS = 8;

export const TROUBLE_FAULT = 1;
/** The monitor must answer first. */
export const TROUBLE_EXIT = 2;
/** The instruction has completed, but its block is no longer valid. */
export const TROUBLE_STOP = 4;

export const EVENT_SHADOW = 1;
export const EVENT_WINDOW = 2;
export const EVENT_TRAP = 4;
/** A single instruction is run. */
export const EVENT_SINGLE = 8;
/** Breakpoints are enabled: instructions run one by one. */
export const EVENT_BREAKPOINTS = 16;
/** RFLAGS.RF is set, for one instruction. */
export const EVENT_RESUME = 32;
/** MOV SS and POP SS: no debug exception either before the next instruction has completed. */
export const EVENT_QUIET = 64;
/** A debug exception is pending. */
export const EVENT_DEBUG = 128;
/** An NMI is pending and not blocked. */
export const EVENT_NMI = 512;
/** A page with one of the monitor's breakpoints, or a watchpoint anywhere: instructions run one by one. */
export const EVENT_MONITOR = 256;

// The current exit.
export const EXIT_KIND = 0x580;
export const EXIT_ADDRESS = 0x588;
export const EXIT_SIZE = 0x590;
export const EXIT_WRITE = 0x594;
export const EXIT_COUNT = 0x598;
export const EXIT_DATA = 0x5a0;
/** The address of the exit's data: EXIT_DATA or STRING_DATA. */
export const EXIT_PLACE = 0x5e0;
/** The bytes of an instruction that could not be executed, and their number. */
export const EXIT_BYTES = 0x5b0;
export const EXIT_LENGTH = 0x5c0;

// The monitor's answers to the current instruction: see cpu/core/external.ts.
export const ANSWERS = 0x600;
export const ANSWER_COUNT = 0x5c4;
export const ANSWER_NEXT = 0x5c8;
export const MAX_ANSWERS = 96;

// Guest RAM: regions of 32 bytes, address (u64), size (u64), address in WebAssembly memory (u32), read-only (u32).
export const REGIONS = 0x900;
export const REGION_SIZE = 32;
export const MAX_REGIONS = 56;

/**
 * The exceptions that were raised last: how many so far, the vector plus 1 whose delivery failed, if one did, and a ring of
 * records.
 */
export const FAULT_COUNT = 0x66000;
export const FAULT_DELIVERING = 0x66004;
export const FAULTS = 0x66040;
export const FAULT_ENTRY = 48;
export const MAX_FAULTS = 16;
// One exception: vector, error code (-1: none), the vector whose delivery failed (-1: an instruction did), RIP, CR2, RSP,
// CS and SS.
export const FAULT_AT_VECTOR = 0;
export const FAULT_AT_CODE = 4;
export const FAULT_AT_DELIVERING = 8;
export const FAULT_AT_CS = 12;
export const FAULT_AT_RIP = 16;
export const FAULT_AT_CR2 = 24;
export const FAULT_AT_RSP = 32;
export const FAULT_AT_SS = 40;

/** The values that a task switch read from the new TSS. */
export const TASK_STATE = 0x62180;

/** The area of the compiler's constants. */
export const STATIC_DATA = 0x1000;

/** A block of two operations, decoded for a single use. */
export const SCRATCH = 0x60000;
/** The bytes of an instruction that is fetched byte by byte. */
export const FETCHED = 0x61000;
// A debugger's requests (see cpu/core/monitor.ts): the numbers of breakpoints and watchpoints, and the number plus 1 of the
// watchpoint that was accessed. Then the breakpoints' linear addresses, 8 bytes each, and the watchpoints: linear address
// (u64), length (u64), and which accesses count (u32).
export const MONITOR_BREAKPOINTS = 0x63000;
export const MONITOR_WATCHPOINTS = 0x63004;
export const MONITOR_TOUCHED = 0x63008;
export const MONITOR_BREAKPOINT = 0x63010;
export const MAX_BREAKPOINTS = 256;
export const MONITOR_WATCHPOINT = 0x63810;
export const WATCHPOINT_SIZE = 24;
export const MAX_WATCHPOINTS = 16;
/** Behind the watchpoints: the linear address of the instruction that accessed the first one. */
export const MONITOR_ACCESSOR = 0x63990;
export const WATCHPOINT_BOTH = 0;
export const WATCHPOINT_WRITES = 1;
export const WATCHPOINT_READS = 2;
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
/** Where the CPU's own tables begin: TLB for the first CPU. */
export const TLB_HERE = 0x40018;
/** The linear page that may be read, and written on the fast path, through this entry; odd where there is none. */
export const TLB_READ = 0;
export const TLB_WRITE = 8;
/** What to add to a linear address for the address in memory, modulo 2^32. */
export const TLB_ADDEND = 16;
/** Not 0: the page may be written, though perhaps not on the fast path, because it holds decoded code. */
export const TLB_MAY_WRITE = 20;
/** The linear page that code may be fetched from. */
export const TLB_EXECUTE = 24;
/** PAE paging's four page-directory-pointer-table entries, as of the last load of CR3. */
export const PDPTES = 0x40020;

// More model-specific registers.
export const PAT = 0x40040;
export const MISC_ENABLE = 0x40048;
export const TSC_AUX = 0x40050;
/** The offset of RDTSC from the number of instructions. */
export const TSC_OFFSET = 0x40058;
export const MTRR_DEFAULT = 0x40060;
/** Eleven fixed ranges, and eight pairs of base and mask, 8 bytes each. */
export const MTRR_FIXED = 0x40080;
export const MTRR_VARIABLE = 0x40100;
/** The CPUID leaves: leaf, subleaf (all ones: any), EAX, EBX, ECX, EDX, 4 bytes each. */
export const CPUID_COUNT = 0x401fc;
export const CPUID_TABLE = 0x40200;
export const CPUID_ENTRY = 24;
export const MAX_CPUID = 256;
// Values that follow from CPUID: the bits of CR4, XCR0 and MXCSR that may be set; the features with instructions, by their
// numbers in the opcode table; whether the processor behaves as AMD's (else as Intel's).
export const CR4_ALLOWED = 0x401f0;
export const XCR0_ALLOWED = 0x401e8;
export const FEATURES = 0x401e0;
export const MXCSR_ALLOWED = 0x401dc;
export const CPU_AMD = 0x401d8;
/** Not 0: a local APIC is there, which is a device: its MSRs leave the guest, and so does CR8 that goes down. */
export const APIC_THERE = 0x401d4;
/** The answer to RDMSR or WRMSR is #GP. */
export const MSR_REFUSED = 0x401d0;
/** The pin IGNNE#, which makes x87 errors have no effect while CR0.NE = 0: one of the three below. */
export const IGNNE = 0x401cc;
/** Asserted for good: nothing is wired to FERR#. */
export const IGNNE_ALWAYS = 0;
export const IGNNE_LOW = 1;
/** Asserted until the pending error is cleared. */
export const IGNNE_FOR_NOW = 2;

// SSE: XMM0 to XMM15, 16 bytes each; MXCSR; XCR0. And a buffer for XSAVE.
export const XMM_REGISTERS = 0x62400;
export const MXCSR = 0x62500;
export const XCR0 = 0x62508;
export const VECTOR_BUFFER = 0x62600;

/**
 * The XSAVE components of another CPU: an area from its header on, whose first word has the components in use, and its length.
 */
export const EXTENDED_AREA = 0x48000;
export const EXTENDED_BYTES = 0x8000;
export const EXTENDED_LENGTH = 0x62510;

/** The data of a REP INS or REP OUTS, and their maximum size: as many bytes as KVM requests in one exit. */
export const STRING_DATA = 0x65000;
export const STRING_BYTES = 1024;

/** Blocks that `enter` has found hot since the translator last looked: their number, and a list of them. */
export const HOT_COUNT = 0x66400;
export const HOT_BLOCKS = 0x66410;
export const MAX_HOT = 64;
/** A block is hot after this many calls of `enter`; 0: no translator. */
export const HOT_HEAT = 0x66404;
/** Handlers from this number on are translations. And how many calls of translated code are under way. */
export const FIRST_TRANSLATION = 0x66408;
export const TRANSLATED_CALLS = 0x6640c;
/** The block after the innermost of these calls, or NO_BLOCK; and how many instructions have to be left there. */
export const RETURN_BLOCK = 0x6653c;
export const RETURN_NEEDED = 0x66540;
/**
 * CLOCK at the end of a turn whose last store may come late. Of the store that does: its place, its length in bytes (0: there is
 * none), how many the instruction made, and its value.
 */
export const LATE_AT = 0x66548;
export const LATE_PLACE = 0x66550;
export const LATE_SIZE = 0x66554;
export const LATE_COUNT = 0x66558;
export const LATE_VALUE = 0x66560;
/**
 * Always 0. Translated code of flat segments takes it for 1: such a function is entered only where each target that is relative to
 * one of its instructions is within the code segment and canonical.
 */
export const NEAR_IS_WITHIN = 0x66538;
/** Instructions that ran translated. */
export const TRANSLATED_INSTRUCTIONS = 0x66520;
/** How often translated code was left in its middle, because something was not as usual. */
export const LEFT_COUNT = 0x66530;
/**
 * Where that was, and where translated code continued in code that is not translated: RIP (u64), the number of the operation's handler,
 * or 0 for the latter (u32), how often (u32). The places that came most stay.
 */
export const LEFT_PLACES = 0x66600;
export const LEFT_PLACE = 16;
export const MAX_LEFT_PLACES = 64;

// A translation's record: an operation whose handler is the translated function, and the blocks that it contains.
export const TRANSLATION_BLOCKS = 4;
/** How often it was left early, and how often it may be until the translator is told; 0: it is not. */
export const TRANSLATION_LEFT = 8;
export const TRANSLATION_MOST_LEFT = 12;
export const TRANSLATION_LIST = 32;

/** Guest pages that hold decoded code, for up to 4 GiB of them: a bit for each 64 bytes of code (u64), their first block (u32). */
export const PAGES = 0x100000;
export const PAGE_RECORD = 16;
export const PAGE_BLOCKS = 8;
export const POOL = 0x1100000;
export const POOL_END = 0x1fc0000;
/**
 * Where there are several CPUs, the end of the pool is theirs: each has an area for its state while another one's stands in the
 * places above, and its tables of the TLB. See cpu/core/cpus.ts.
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
/** A bit for each page of RAM that was written while LOGS_WRITES was set. Then memory's own marks, of writes from outside. */
export const DIRTY = 0x1fc0000;
export const DIRTY_SIZE = 0x20000;
/** Where guest RAM starts: memory's ENGINE_AREA. */
export const RAM = 0x2000000;

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
