/**
 * The engine area: the state of a run with its exit, events, exceptions, memory regions, and a debugger's requests.
 *
 * @module
 */

// The state of the run. First the words of each CPU, like the registers of layout-cpu.ts.
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

// Shared by the CPUs, up to EXIT_KIND.
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
/** The instruction's store may be late: see cpu/core/late.ts. */
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
/** The number of CPUs, and the one to which the fixed addresses of the state belong now. */
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
/** How many interrupts were delivered, and how often the type of the code changed: MODE_CODE32, MODE_CODE64 or MODE_REAL. */
export const INTERRUPT_COUNT = 0x66008;
export const MODE_COUNT = 0x6600c;
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
/** After the watchpoints: the linear address of the instruction that accessed the first one. */
export const MONITOR_ACCESSOR = 0x63990;
export const WATCHPOINT_BOTH = 0;
export const WATCHPOINT_WRITES = 1;
export const WATCHPOINT_READS = 2;

/** The data of a REP INS or REP OUTS, and their maximum size: as many bytes as KVM requests in one exit. */
export const STRING_DATA = 0x65000;
export const STRING_BYTES = 1024;
