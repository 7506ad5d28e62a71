/*
 * As kernel.c: virtual-8086 mode, parameters of call gates, frames of 16 bits, tasks of both widths, single steps and
 * breakpoints. Each try is a line with what its handler found.
 */
#include "common.h"

enum { CODE0 = 0x08, DATA0 = 0x10, CODE3 = 0x1b, DATA3 = 0x23, TASK = 0x28, CODE16 = 0x30, TEST = 0x38, OTHER = 0x40,
       OTHER16 = 0x48, DATA16 = 0x50, LOCAL = 0x58,
       RESCUE = 0x60, ENTRIES = 16 };
static u64 gdt[ENTRIES] STACK, idt[256] STACK, ldt[2];
static u32 task[26 + 16], other[26], rescue[4][26];
static u16 other16[22];
static u8 stack0[4096] STACK, stack1[4096] STACK, stack3[4096] STACK;

u32 seen[40], depth;
u32 kernel_esp;

static void word(u32 value) { hex(value, value > 0xffff ? 8 : 4), out(' ', 0xe9); }

/* Everything on the handler's stack goes into `seen`, after the vector and the segment registers. */
void caught(void);
__asm__(
    "caught:\n"
    "  push %ds\n  push %es\n  push %fs\n  push %gs\n"
    "  mov $0x10, %edx\n  mov %edx, %ds\n  mov %edx, %es\n"
    "  mov %esp, %esi\n  mov $seen, %edi\n  mov $20, %ecx\n  cld\n  rep movsl\n"
    "  mov %eax, seen + 120\n  mov %ss, %eax\n  mov %eax, seen + 124\n  mov %esp, depth\n"
    "  mov $0x10, %eax\n  mov %eax, %ss\n  mov kernel_esp, %esp\n  popa\n  ret\n"
    "landing:\n  int $0x40\n"
    /* The task of an exception, whose vector is in EBX; its code is on the stack. */
    "rescued:\n  mov %ebx, seen + 16\n  pop seen + 20\n  mov kernel_esp, %esp\n  popa\n  ret\n"
    ".align 16\nstubs:\n.set n, 0\n.rept 256\n .align 16\n"
    " .if (n == 8) || (n >= 10 && n <= 14) || (n == 17)\n .else\n pushl $0xffff\n .endif\n"
    " pushl $n\n jmp caught\n .set n, n + 1\n.endr\n"
    "try:\n  pusha\n  mov %esp, kernel_esp\n  mov 36(%esp), %ebx\n  mov 40(%esp), %eax\n  jmp *%ebx\n"
    "try3:\n  pusha\n  mov %esp, kernel_esp\n  mov 36(%esp), %ebx\n  mov 40(%esp), %eax\n"
    "  pushl $0x23\n  pushl $stack3 + 4000\n  pushl $0x202\n  pushl $0x1b\n  push %ebx\n"
    "  mov $0x23, %edx\n  mov %edx, %ds\n  mov %edx, %es\n  iret\n"
    /* Virtual-8086 mode at 0x7000:0, flags in EAX. */
    "virtual:\n  pushl $0x6666\n  pushl $0x5555\n  pushl $0x4444\n  pushl $0x3333\n  pushl $0x6800\n  pushl $0xfff0\n"
    "  push %eax\n  pushl $0x7000\n  pushl $0\n  iret\n");
extern u8 stubs[], landing[], rescued[];
void try(void (*code)(void), u32 a);
void try3(void (*code)(void), u32 a);
void virtual(void);

#define TRY(name, code) void name(void); __asm__(#name ":\n" code "\n  int $0x40\n")
TRY(push_call, "push $0x11111111\n push $0x22222222\n push $0x33333333\n lcall *far_test");
TRY(call_task, "push $0x11111111\n lcall *far_test\n mov %cr0, %eax\n mov $0x77, %al\n int $0x40");
TRY(jump_task, "ljmp *far_test");
TRY(int_task, "mov $0x1234, %eax\n int $0x30");
TRY(fault_task, "mov $0x1234, %eax\n mov $0x38, %ecx\n mov %ecx, %fs");
TRY(interrupt, "int $0x30");
TRY(single, "pushl $0x102\n popf\n nop\n nop");
TRY(single_int, "pushl $0x102\n popf\n int $0x44");
TRY(single_ss, "mov %ss, %ebx\n pushl $0x102\n popf\n mov %ebx, %ss\n nop\n nop");
TRY(single_popf, "pushl $0x102\n popf\n pushl $2\n popf\n nop");
TRY(break_exec, "mov $point, %ebx\n mov %ebx, %dr0\n mov $0x402, %ebx\n mov %ebx, %dr7\n nop\npoint:\n inc %eax");
TRY(break_write, "mov $seen + 140, %ebx\n mov %ebx, %dr1\n mov $0xd00408, %ebx\n mov %ebx, %dr7\n movl $1, seen + 136\n"
                 " mov seen + 140, %ecx\n movb $1, seen + 143\n nop");
TRY(break_read, "mov $seen + 140, %ebx\n mov %ebx, %dr2\n mov $0xf000420, %ebx\n mov %ebx, %dr7\n mov seen + 142, %cl\n nop");
TRY(break_rep, "mov $seen + 140, %ebx\n mov %ebx, %dr3\n mov $0x50000480, %ebx\n mov %ebx, %dr7\n mov $seen + 128, %edi\n"
               " mov $20, %ecx\n rep stosb");
TRY(detect, "mov $0x2400, %ebx\n mov %ebx, %dr7\n mov %dr0, %ebx");
TRY(ones, "mov $0, %ebx\n mov %ebx, %dr6\n mov %dr6, %eax\n mov %dr4, %ecx\n and %ecx, %eax");
TRY(ones7, "mov $0, %ebx\n mov %ebx, %dr7\n mov %dr7, %eax");
TRY(do_sysenter, "sysenter");
TRY(do_sysexit, "mov $landing, %edx\n mov $stack3 + 4000, %ecx\n sysexit");
u32 far_test[2] = {0, TEST};

static void reset(void) {
  gdt[TASK / 8] = descriptor((u32)task, sizeof task - 1, 0x89, 0);
  gdt[OTHER / 8] = descriptor((u32)other, sizeof other - 1, 0x89, 0);
  gdt[OTHER16 / 8] = descriptor((u32)other16, sizeof other16 - 1, 0x81, 0);
  u32 flags;
  __asm__ volatile("lldt %%ax\n ltr %%dx\n clts" ::"a"(LOCAL), "d"(TASK));
  __asm__ volatile("mov %0, %%fs\n mov %0, %%gs\n mov %1, %%dr7\n mov %2, %%dr6\n pushf\n pop %0\n push %3\n popf" : "=r"(flags) : "r"(0x400), "r"(0xffff0ff0), "r"(2), "0"(0));
  for (u32 i = 0; i < 40; i++) seen[i] = 0;
}
static void show(const char *name, u32 count) {
  put(name), put(": ");
  u32 dr6, cr0;
  __asm__ volatile("mov %%dr6, %0\n mov %%cr0, %1" : "=r"(dr6), "=r"(cr0));
  /* GS, FS, ES, DS, vector, code, then the frame. A push of a selector writes 2 or 4 bytes, and QEMU knows no RF. */
  for (u32 i = 0; i < count; i++) word(i < 4 ? seen[i] & 0xffff : i == 8 ? seen[i] & ~0x10000 : seen[i]);
  put("eax "), word(seen[30]), put("ss "), word(seen[31]), put("dr6 "), word(dr6 & 0xffff), put("ts "), word(cr0 >> 3 & 1);
  u16 tr;
  __asm__ volatile("str %0" : "=r"(tr));
  put("tr "), word(tr), hex(gdt[TASK / 8] >> 40 & 15, 1), hex(gdt[OTHER / 8] >> 40 & 15, 1), hex(gdt[OTHER16 / 8] >> 40 & 15, 1);
  out('\n', 0xe9);
}
/* Instruction pointers differ between compilers, so frames are shown from CS on. */
static void hide(void) { seen[6] = seen[6] >= 0x100000 ? 0x1111 : seen[6]; }
static void attempt(const char *name, void (*code)(void), u32 ring, u32 a, u32 count) {
  reset();
  if (ring) try3(code, a); else try(code, a);
  hide();
  show(name, count);
}

static void in_virtual(const char *name, u32 flags, const u8 *bytes, u32 length) {
  u8 *code = (u8 *)0x70000;
  for (u32 i = 0; i < length; i++) code[i] = bytes[i];
  code[length] = 0xcd, code[length + 1] = 0x40, code[length + 2] = 0xf1;
  reset();
  try(virtual, flags | 0x20002);
  hide();
  put("v86 "), hex(flags, 4), out(' ', 0xe9);
  show(name, 15);
}
#define V86(name, flags, ...) do { static const u8 b[] = {__VA_ARGS__}; in_virtual(name, flags, b, sizeof b); } while (0)

static void virtual_mode(void) {
  for (u32 iopl = 0; iopl <= 0x3000; iopl += 0x3000) {
    V86("nop", iopl, 0x90);
    V86("cli", iopl, 0xfa);
    V86("sti", iopl, 0xfb, 0xfa);
    V86("pushf", iopl, 0x9c, 0x58);
    V86("pushf32", iopl, 0x66, 0x9c, 0x66, 0x58);
    V86("popf", iopl, 0xb8, 0xd7, 0x7f, 0x50, 0x9d);
    V86("iret", iopl, 0xb8, 0xd7, 0x7c, 0x50, 0x68, 0x00, 0x70, 0x68, 0x09, 0x00, 0xcf);
    V86("hlt", iopl, 0xf4);
    V86("in 80", iopl, 0xe4, 0x80, 0xb8, 0, 0);
    V86("in 20", iopl, 0xe4, 0x20, 0xb8, 0, 0);
    V86("int3", iopl, 0xcc);
    V86("into", iopl, 0xb8, 0xff, 0x7f, 0x40, 0xce);
    V86("int 41", iopl, 0xcd, 0x41);
    V86("int 80", iopl, 0xcd, 0x80);
    V86("int 50", iopl, 0xcd, 0x50);
    V86("lar", iopl, 0x0f, 0x02, 0xc0);
    V86("sldt", iopl, 0x0f, 0x00, 0xc0);
    V86("arpl", iopl, 0x63, 0xc0);
    V86("smsw", iopl, 0x0f, 0x01, 0xe0, 0x24, 0x01, 0xb4, 0x00);
    V86("mov cr", iopl, 0x0f, 0x20, 0xc0);
    V86("lgdt", iopl, 0x0f, 0x01, 0x16, 0x00, 0x00);
    V86("mov ds", iopl, 0xb8, 0x34, 0x12, 0x8e, 0xd8, 0x8e, 0xe0);
    V86("far jump", iopl, 0xea, 0x05, 0x00, 0x00, 0x70);
    V86("far call", iopl, 0x9a, 0x05, 0x00, 0x00, 0x70);
    V86("ud2", iopl, 0x0f, 0x0b);
  }
}

static void frames(void) {
  for (u32 count = 0; count < 32; count += 3) {
    gdt[TEST / 8] = gate(CODE0, (u32)landing, 0xec, count);
    put("call gate "), hex(count, 2), out(' ', 0xe9);
    attempt("ring 3", push_call, 3, 0, 4);
    word(seen[31]), word((u32)(stack0 + sizeof stack0) - depth), out('\n', 0xe9);
  }
  /* A 16-bit handler is below 64 KiB: INT 40h. */
  u8 *low = (u8 *)0x5000;
  low[0] = 0xcd, low[1] = 0x40;
  for (u32 type = 0xe6; type <= 0xe7; type++) {
    idt[0x30] = gate(CODE16, 0x5000, type, 0);
    attempt("gate of 16 bits", interrupt, 3, 0, 10);
    word((u32)(stack0 + sizeof stack0) - depth);
    attempt("gate of 16 bits, ring 0", interrupt, 0, 0, 8);
    idt[0x30] = gate(CODE0, (u32)landing, type | 8, 0);
    attempt("gate of 32 bits", interrupt, 3, 0, 9);
  }
  for (u32 count = 0; count < 4; count++) {
    gdt[TEST / 8] = gate(CODE16, 0x5000, 0xe4, count);
    attempt("call gate of 16 bits", push_call, 3, 0, 4);
    word((u32)(stack0 + sizeof stack0) - depth);
  }
  out('\n', 0xe9);
}

static void wrmsr(u32 msr, u32 value) { __asm__ volatile("wrmsr" ::"c"(msr), "a"(value), "d"(0)); }
/* SYSENTER and SYSEXIT, with and without a kernel's segment. */
static void fast_calls(void) {
  static const u16 segments[] = {0, CODE0, 0x0b};
  wrmsr(0x175, (u32)stack1 + 2048), wrmsr(0x176, (u32)landing);
  for (u32 i = 0; i < sizeof segments / sizeof *segments; i++) {
    wrmsr(0x174, segments[i]);
    put("segment "), hex(segments[i], 2), out('\n', 0xe9);
    attempt("sysenter", do_sysenter, 0, 0, 9), word(seen[6] == CODE0 ? depth - (u32)stack1 : 0);
    attempt("sysenter of ring 3", do_sysenter, 3, 0, 9);
    V86("sysenter", 0x3000, 0x0f, 0x34);
    V86("sysexit", 0x3000, 0x0f, 0x35);
    attempt("sysexit", do_sysexit, 0, 0, 9), word(seen[9] ? seen[9] - (u32)stack3 : 0);
    attempt("sysexit of ring 3", do_sysexit, 3, 0, 9);
  }
}

static void set_task(u32 eip, u32 flags, u32 cs, u32 ss, u32 ds, u32 table) {
  for (u32 i = 0; i < 26; i++) other[i] = 0;
  other[8] = eip, other[9] = flags;
  for (u32 i = 10; i < 18; i++) other[i] = 0x01010101 * i;
  other[14] = (u32)stack1 + 2048;
  other[1] = (u32)stack0 + sizeof stack0, other[2] = DATA0;
  other[18] = ds, other[19] = cs, other[20] = ss, other[21] = ds, other[22] = 0, other[23] = 0, other[24] = table;
  other[25] = 104 << 16;
}
static void set_task16(u32 ip, u32 flags, u32 cs, u32 ss, u32 ds, u32 table) {
  for (u32 i = 0; i < 22; i++) other16[i] = 0;
  other16[1] = 0x4f00, other16[2] = DATA0, other16[7] = ip, other16[8] = flags;
  for (u32 i = 9; i < 17; i++) other16[i] = 0x0101 * i;
  other16[13] = 0x4ff0;
  other16[17] = ds, other16[18] = cs, other16[19] = ss, other16[20] = ds, other16[21] = table;
}
static void saved(void) {
  word(task[9] & ~0x10000), word(task[10]), word(task[18]), word(task[19]), word(task[20]), word(task[21]), word(task[22]);
  /* The state of the previous task that an exception's task saved. */
  word(other[10]), word(other[18]), word(other[19]), word(other[20]), word(other[21]), word(other[24]);
  word(other16[17]), word(other16[18]), word(other16[19]), word(other16[21]), word(rescue[0][0]), word(rescue[1][0]), word(rescue[2][0]);
  word(task[24]), word(other[0] & 0xffff), word(other16[0]), word(other[9] & ~0x10000);
  out('\n', 0xe9);
}
/* What is wrong with a task may leave it without a stack: its exceptions have tasks of their own. */
static void set_rescue(int on) {
  for (u32 n = 0; n < 4; n++) {
    gdt[RESCUE / 8 + n] = descriptor((u32)rescue[n], 103, 0x89, 0);
    rescue[n][8] = (u32)rescued, rescue[n][9] = 2, rescue[n][13] = 10 + n, rescue[n][14] = (u32)stack3 + 2000;
    rescue[n][18] = rescue[n][20] = rescue[n][21] = DATA0, rescue[n][19] = CODE0;
    idt[10 + n] = on ? gate(RESCUE + 8 * n, 0, 0x85, 0) : gate(CODE0, (u32)stubs + 16 * (10 + n), 0x8e, 0);
  }
}
static void tasks(void) {
  static const struct { u32 cs, ss, ds, table, flags, eip; } list[] = {
    {CODE0, DATA0, DATA0, 0, 2, 0}, {CODE3, DATA3, DATA3, LOCAL, 0x202, 0}, {CODE0, DATA0, DATA3, 0, 0x4002, 0},
    {0, DATA0, DATA0, 0, 2, 0}, {CODE3, DATA0, DATA0, 0, 2, 0}, {CODE0, DATA3, DATA0, 0, 2, 0}, {CODE0, 0, DATA0, 0, 2, 0},
    {DATA0, DATA0, DATA0, 0, 2, 0}, {CODE0, CODE0, DATA0, 0, 2, 0}, {CODE0, DATA0, 0x100, 0, 2, 0},
    {CODE0, DATA0, 0x28, 0, 2, 0}, {CODE0, DATA0, DATA0, 0x10, 2, 0}, {CODE0, DATA0, DATA0, 0x104, 2, 0},
    {CODE3, DATA3, DATA0, 0, 2, 0}, {CODE0 | 2, DATA0, DATA0, 0, 2, 0}, {4, DATA0, DATA0, LOCAL, 2, 0}, {4, DATA0, DATA0, 0, 2, 0},
    {CODE16, DATA0, DATA0, 0, 2, 0x20000}, {0x7000, 0x6800, 0x1234, 0, 0x20002, 0x10}};
  for (u32 t = 0; t < sizeof list / sizeof *list; t++) {
    u32 eip = list[t].eip ? list[t].eip : (u32)landing;
    set_rescue(1);
    ((u8 *)0x70010)[0] = 0xcc;
    set_task(eip, list[t].flags, list[t].cs, list[t].ss, list[t].ds, list[t].table);
    far_test[1] = OTHER;
    put("task "), hex(t, 2), out(' ', 0xe9), attempt("jump", jump_task, 0, 0x99, 12), saved();
    set_rescue(1);
    set_task(eip, list[t].flags, list[t].cs, list[t].ss, list[t].ds, list[t].table);
    put("task "), hex(t, 2), out(' ', 0xe9), attempt("call", call_task, 0, 0x99, 12), saved();
    set_rescue(1);
    set_task16(0x5000, list[t].flags, list[t].cs == CODE0 ? CODE16 : list[t].cs, list[t].ss, list[t].ds, list[t].table);
    far_test[1] = OTHER16;
    put("task16 "), hex(t, 2), out(' ', 0xe9), attempt("call", call_task, 0, 0x99, 8), saved();
  }
  set_rescue(0);
  /* There and back by IRET. */
  u8 *low = (u8 *)0x5000;
  low[0] = 0xcf, low[1] = 0xcd, low[2] = 0x45;
  far_test[1] = OTHER16, set_task16(0x5000, 2, CODE16, DATA0, DATA0, 0);
  attempt("call and back, 16 bits", call_task, 0, 0, 8), saved();
  word(other16[7]), word(other16[8]);
  /* Task gates: INT, an exception with an error code, a CALL. */
  set_task((u32)landing, 2, CODE0, DATA0, DATA0, 0);
  idt[0x30] = gate(OTHER, 0, 0xe5, 0);
  attempt("int through a task gate", int_task, 3, 0, 10), saved();
  idt[11] = gate(OTHER, 0, 0x85, 0), idt[13] = gate(OTHER, 0, 0x85, 0);
  gdt[TEST / 8] = descriptor(0, 0xfffff, 0x72, 0xc);
  set_task((u32)landing, 2, CODE0, DATA0, DATA0, 0);
  attempt("fault through a task gate", fault_task, 0, 0, 10), saved();
  idt[11] = gate(CODE0, (u32)stubs + 16 * 11, 0x8e, 0), idt[13] = gate(CODE0, (u32)stubs + 16 * 13, 0x8e, 0);
  gdt[TEST / 8] = gate(OTHER, 0, 0xe5, 0), far_test[1] = TEST;
  set_task((u32)landing, 2, CODE0, DATA0, DATA0, 0);
  attempt("call of a task gate", call_task, 3, 0, 10), saved();
  /* Refusals. */
  static const u16 targets[] = {OTHER | 4, TASK, 0, DATA0, 0x100, LOCAL};
  for (u32 i = 0; i < sizeof targets / 2; i++) {
    gdt[TEST / 8] = gate(targets[i], 0, 0xe5, 0);
    attempt("bad task gate", call_task, 0, 0, 6);
    idt[0x30] = gate(targets[i], 0, 0xe5, 0);
    attempt("bad task gate of INT", int_task, 0, 0, 6);
  }
  far_test[1] = OTHER;
  attempt("a task of ring 0", call_task, 3, 0, 6);
  /* The trap flag of a task. */
  set_task((u32)landing, 2, CODE0, DATA0, DATA0, 0), other[25] |= 1;
  attempt("trap", call_task, 0, 0, 10);
}

void run(void) {
  gdt[1] = descriptor(0, 0xfffff, 0x9b, 0xc), gdt[2] = descriptor(0, 0xfffff, 0x93, 0xc);
  gdt[3] = descriptor(0, 0xfffff, 0xfb, 0xc), gdt[4] = descriptor(0, 0xfffff, 0xf3, 0xc);
  gdt[CODE16 / 8] = descriptor(0, 0xffff, 0x9b, 0), gdt[DATA16 / 8] = descriptor(0, 0xffff, 0x93, 0);
  gdt[LOCAL / 8] = descriptor((u32)ldt, sizeof ldt - 1, 0x82, 0), ldt[0] = gdt[1], ldt[1] = gdt[2];
  for (u32 n = 0; n < 256; n++) idt[n] = gate(CODE0, (u32)stubs + 16 * n, (n >= 0x40 && n < 0x50) || n == 3 || n == 4 ? 0xee : 0x8e, 0);
  task[1] = (u32)stack0 + sizeof stack0, task[2] = DATA0, task[25] = 104 << 16;
  for (u32 i = 26; i < 42; i++) task[i] = ~0u;
  ((u8 *)task)[104 + 0x10] = 0x7e;
  struct { u16 limit; u32 base; } __attribute__((packed)) g = {sizeof gdt - 1, (u32)gdt}, i = {sizeof idt - 1, (u32)idt};
  __asm__ volatile("lgdt %0\n lidt %1\n ljmp $0x08, $1f\n1: mov $0x10, %%eax\n mov %%eax, %%ds\n mov %%eax, %%es\n mov %%eax, %%ss"
                   ::"m"(g), "m"(i) : "eax", "memory");
  out(0xff, 0x21), out(0xff, 0xa1);
  virtual_mode();
  frames();
  fast_calls();
  tasks();
  attempt("single step", single, 0, 0, 9);
  attempt("single step of ring 3", single, 3, 0, 9);
  attempt("single step of INT", single_int, 3, 0, 9);
  attempt("single step of MOV SS", single_ss, 0, 0, 9);
  attempt("single step of POPF", single_popf, 0, 0, 9);
  attempt("breakpoint", break_exec, 0, 5, 9);
  attempt("breakpoint on a write", break_write, 0, 0, 9);
  attempt("breakpoint on a read", break_read, 0, 0, 9);
  attempt("breakpoint in REP", break_rep, 0, 0, 9);
  word(seen[35]);
  attempt("general detect", detect, 0, 0, 9);
  attempt("DR6", ones, 0, 0, 6);
  attempt("DR7", ones7, 0, 0, 6);
  put("end\n");
  out(0, 0xf4);
  for (;;) __asm__ volatile("cli\n hlt");
}

__asm__(".globl _start\n_start:\n  mov $stack0 + 2048, %esp\n  pushl $2\n  popf\n  call run\n");
