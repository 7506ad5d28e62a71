/**
 * The engine area: the registers of a CPU, and the values that follow from its CPUID.
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
// byte 1 of RAX. The two words after them are not architectural registers: they are used in address computations.
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
/** Not 0: there is a local APIC that is a device: accesses to its MSRs are exits, and so are writes that lower CR8. */
export const APIC_THERE = 0x401d4;
/** The answer to RDMSR or WRMSR is #GP. */
export const MSR_REFUSED = 0x401d0;
/** The pin IGNNE#, which makes x87 errors have no effect while CR0.NE = 0: one of the three below. */
export const IGNNE = 0x401cc;
/** Always asserted: nothing is wired to FERR#. */
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
