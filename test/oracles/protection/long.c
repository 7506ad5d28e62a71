/*
 * As kernel.c, in long mode: descriptors and gates in 64-bit code and compatibility mode, stacks of interrupts, SYSCALL and
 * SYSENTER, addresses that are not canonical. Starts in 32-bit protected mode and turns long mode on; with
 * LEVELS 5, with 5-level paging, and then it tries only what depends on that.
 */
#ifndef LEVELS
#define LEVELS 4
#endif
#include "common.h"

enum { CODE0 = 0x08, DATA0 = 0x10, CODE32 = 0x18, USER32 = 0x23, USERDATA = 0x2b, USER64 = 0x33, TASK = 0x40,
       TEST = 0x50, TARGET = 0x60, LOCAL = 0x70, ENTRIES = 18 };
static u64 gdt[ENTRIES] __attribute__((aligned(16)));
static u64 ldt[4];
static u64 idt[512] __attribute__((aligned(16)));
static u32 task[26];
static u8 stack0[4096] STACK, stack1[4096] STACK, stack3[4096] STACK, spare[4096] STACK;
u64 pages[512 * 4] __attribute__((aligned(4096)));

u64 seen_vector, seen_code, seen_cs, seen_ss, seen_rsp, seen_rax, seen_depth, kernel_rsp;

static void gate(u64 *at, u32 selector, u64 offset, u32 access, u32 table) {
  at[0] = (offset & 0xffff) | (u64)selector << 16 | (u64)table << 32 | (u64)access << 40 | (u64)((offset >> 16) & 0xffff) << 48;
  at[1] = offset >> 32;
}
static void wrmsr(u32 msr, u64 value) { __asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32))); }

void caught(void);
__asm__(
    "caught:\n"
    "  mov %rax, seen_rax\n  mov %rsp, seen_depth\n"
    "  pop seen_vector\n  pop seen_code\n"
    "  mov 8(%rsp), %rax\n  mov %rax, seen_cs\n"
    "  mov 24(%rsp), %rax\n  mov %rax, seen_rsp\n  mov 32(%rsp), %rax\n  mov %rax, seen_ss\n"
    "  mov $0x10, %eax\n  mov %eax, %ds\n  mov %eax, %es\n  mov %eax, %ss\n"
    "  mov kernel_rsp, %rsp\n"
    "  pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n  ret\n"
    "landing:\n  int $0x40\n"
    "landing_flags:\n  pushfq\n  pop %rax\n  int $0x40\n"
    ".code32\nnarrow:\n  int $0x40\n"
    "narrow_int:\n  int $0x30\n"
    "narrow_sysenter:\n  sysenter\n"
    "narrow_syscall:\n  syscall\n"
    "narrow_load:\n  mov %eax, %ds\n  int $0x40\n"
    "narrow_ss:\n  mov %eax, %ss\n  int $0x40\n"
    "narrow_iret:\n  pushl $2\n  pushl $0x23\n  pushl $narrow\n  iret\n"
    "narrow_far:\n  ljmp $0x33, $landing\n"
    ".code64\n"
    ".align 16\nstubs:\n"
    ".set n, 0\n.rept 256\n .align 16\n"
    " .if (n == 8) || (n >= 10 && n <= 14) || (n == 17)\n .else\n push $0xfff\n .endif\n"
    " push $n\n jmp caught\n .set n, n + 1\n.endr\n");
extern u8 stubs[], landing[], landing_flags[], narrow[], narrow_int[], narrow_sysenter[], narrow_syscall[], narrow_load[], narrow_ss[], narrow_iret[], narrow_far[];

/* Runs `code` with RAX = a: in ring 0, in ring 3, in compatibility mode of ring 3. */
void try0(void *code, u64 a);
void try3(void *code, u64 a);
void trynarrow(void *code, u64 a);
__asm__(
    ".set saved, 0\n"
    ".macro keep\n push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n mov %rsp, kernel_rsp\n mov %rsi, %rax\n .endm\n"
    "try0:\n keep\n and $-16, %rsp\n jmp *%rdi\n"
    "try3:\n keep\n push $0x2b\n push $stack3 + 4000\n push $2\n push $0x33\n push %rdi\n iretq\n"
    "trynarrow:\n keep\n push $0x2b\n push $stack3 + 4000\n push $2\n push $0x23\n push %rdi\n iretq\n");

#define TRY(name, code) void name(void); __asm__(#name ":\n" code "\n  int $0x40\n")
TRY(load_ds, "mov %eax, %ds");
TRY(load_fs, "mov %eax, %fs");
TRY(load_ss, "mov %eax, %ss\n mov %ss, %eax");
TRY(ask_lar, "xor %edx, %edx\n lar %eax, %edx\n setz %al\n movzx %al, %eax\n or %edx, %eax");
TRY(ask_lsl, "xor %edx, %edx\n lsl %eax, %edx\n setz %al\n movzx %al, %eax\n or %edx, %eax");
TRY(jump, "push %rax\n pushq $landing\n rex.W ljmp *(%rsp)");
TRY(jump32, "push %rax\n movl $landing, -4(%rsp)\n mov %eax, (%rsp)\n ljmp *-4(%rsp)");
TRY(call_far, "push %rax\n pushq $landing\n rex.W lcall *(%rsp)");
TRY(ret_far, "push $0x10\n push %rsp\n push %rax\n push $landing\n lretq");
TRY(ret_far3, "push $0x2b\n push $stack3 + 4000\n push %rax\n push $landing\n lretq");
TRY(iret_to, "mov %ss, %ecx\n mov %rsp, %rdx\n push %rcx\n push %rdx\n push $2\n push %rax\n push $landing\n iretq");
TRY(iret_ss0, "push %rax\n push %rsp\n push $2\n push $8\n push $landing\n iretq");
TRY(iret_ss1, "push %rax\n push %rsp\n push $2\n push $0x61\n push $landing\n iretq");
TRY(iret_ss3, "push %rax\n push %rsp\n push $2\n push $0x33\n push $landing\n iretq");
TRY(iret_ss32, "push %rax\n push $stack3 + 4000\n push $2\n push $0x23\n push $narrow\n iretq");
TRY(iret_rip, "mov %ss, %ecx\n mov %rsp, %rdx\n mov %cs, %ebx\n push %rcx\n push %rdx\n push $2\n push %rbx\n push %rax\n iretq");
TRY(iret_nt, "push $0x4002\n popfq\n push $0x10\n push %rsp\n push $2\n push $8\n push $landing\n iretq");
TRY(interrupt, "int $0x30");
TRY(interrupt_odd, "sub $3, %rsp\n int $0x30");
TRY(load_tr, "ltr %ax");
TRY(load_ldt, "lldt %ax");
TRY(do_syscall, "syscall");
TRY(do_sysret, "mov $landing, %ecx\n mov $2, %r11d\n sysretq");
TRY(do_sysretl, "mov $narrow, %ecx\n mov $2, %r11d\n sysretl");
TRY(do_sysenter, "sysenter");
TRY(do_sysenter_if, "pushq $0x10a03\n popfq\n sysenter");
TRY(do_sysexit, "mov $landing, %edx\n mov $stack3 + 4000, %ecx\n rex.W sysexit");
TRY(do_sysexit_rip, "mov %rax, %rdx\n mov $stack3 + 4000, %ecx\n rex.W sysexit");
TRY(do_sysexit_rsp, "mov $landing, %edx\n mov %rax, %rcx\n rex.W sysexit");
TRY(do_sysexitl, "mov $narrow, %edx\n mov $stack3 + 4000, %ecx\n sysexit");
TRY(do_swapgs, "swapgs");
TRY(read_at, "mov (%rax), %dl");
TRY(read_stack, "mov %rsp, %rbx\n mov %rax, %rsp\n pop %rdx\n mov %rbx, %rsp");
TRY(push_at, "mov %rsp, %rbx\n mov %rax, %rsp\n push %rdx\n mov %rbx, %rsp");
TRY(jump_to, "jmp *%rax");
TRY(call_to, "call *%rax");
TRY(ret_to, "push %rax\n ret");
TRY(do_lgdt, "sub $16, %rsp\n sgdt (%rsp)\n mov %rax, 2(%rsp)\n lgdt (%rsp)");
TRY(do_hlt, "hlt");
TRY(do_cr8, "mov %cr8, %rax\n mov %rax, %cr8");

static void report(void) {
  hex(seen_vector, 2);
  if (seen_code != 0xfff) out('.', 0xe9), hex(seen_code, 3);
  if (seen_vector == 0x40) {
    out('=', 0xe9), hex(seen_rax, seen_rax > 0xffff ? 8 : seen_rax > 15 ? 4 : 1);
    out('/', 0xe9), hex(seen_cs, 2), out('/', 0xe9), hex(seen_ss, 2);
  }
  out('0' + (seen_depth & 15), 0xe9), out(' ', 0xe9);
}

static void reset(void) {
  gdt[TASK / 8] = descriptor((u64)task, sizeof task - 1, 0x89, 0);
  __asm__ volatile("lldt %%ax\n ltr %%dx" ::"a"(0), "d"(TASK));
  __asm__ volatile("mov %0, %%fs\n mov %0, %%gs" ::"r"(0));
  gate(idt + 2 * 0x40, CODE0, (u64)stubs + 16 * 0x40, 0xee, 0);
}

typedef void (*trier)(void *, u64);
static void attempt(trier how, void *code, u64 a) {
  reset();
  seen_cs = seen_ss = seen_rax = 0;
  how(code, a);
  report();
}
static void line(const char *name, int ring, u32 rpl) { put(name), out('0' + ring, 0xe9), out('0' + rpl, 0xe9), put(": "); }
static const trier rings[] = {try0, try3};

/* `flags`: L and D of the descriptor. */
static void all_types(const char *name, void *code, u32 flags) {
  for (int ring = 0; ring < 2; ring++)
    for (u32 rpl = 0; rpl <= 3; rpl += 3) {
      put(name), hex(flags, 1), line("", ring * 3, rpl);
      for (u32 access = 0; access < 0x100; access++) {
        u32 type = access & 0x1f, dpl = (access >> 5) & 3;
        if (dpl == 1 || dpl == 2 || type == 12) continue;
        gdt[TEST / 8] = descriptor(0, 0xfffff, access, flags), gdt[TEST / 8 + 1] = 0;
        attempt(rings[ring], code, TEST | rpl);
      }
      out('\n', 0xe9);
    }
}

static void selectors(const char *name, void *code) {
  static const u16 list[] = {0, 1, 2, 3, 0x08, 0x0b, 0x10, 0x13, 0x18, 0x1b, 0x23, 0x2b, 0x33, 0x40, 0x88, 0x90, 0xfff8, 4, 7, 0x0c, 0x73};
  for (int ring = 0; ring < 2; ring++) {
    line(name, ring * 3, 9);
    for (u32 i = 0; i < sizeof list / sizeof *list; i++) attempt(rings[ring], code, list[i]);
    out('\n', 0xe9);
  }
}

static void gates(const char *name, void *code, int through_idt) {
  static const struct { u8 access, flags; } targets[] = {{0x9a, 0xa}, {0x9e, 0xa}, {0xba, 0xa}, {0xfa, 0xa}, {0xfe, 0xa}, {0x1a, 0xa}, {0x9a, 0xc}, {0x9a, 0xe}, {0x92, 0xa}};
  static const u8 types[] = {0x04, 0x05, 0x06, 0x07, 0x0c, 0x0e, 0x0f};
  for (u32 t = 0; t < sizeof targets / sizeof *targets; t++) {
    gdt[TARGET / 8] = descriptor(0, 0xfffff, targets[t].access, targets[t].flags);
    for (u32 k = 0; k < sizeof types; k++)
      for (int ring = 0; ring < 2; ring++) {
        put(name), hex(targets[t].access, 2), hex(targets[t].flags, 1), hex(types[k], 2), line("", ring * 3, 0);
        for (u32 dpl = 0; dpl <= 3; dpl += 3)
          for (u32 present = 0; present <= 0x80; present += 0x80)
            for (u32 rpl = 0; rpl <= 3; rpl += 3) {
              u64 *at = through_idt ? idt + 2 * 0x30 : gdt + TEST / 8;
              gate(at, TARGET | rpl, (u64)landing, present | dpl << 5 | types[k], 0);
              attempt(rings[ring], code, TEST | rpl);
            }
        out('\n', 0xe9);
      }
  }
}

/* How far below which stack a handler finds itself. */
static void where(const char *name, u64 tag) {
  put(name), out('=', 0xe9), hex(tag, 4), out(' ', 0xe9);
}
static void stacks(void) {
  task[1] = (u32)(u64)(stack0 + sizeof stack0 - 8), task[3] = (u32)(u64)(stack1 + sizeof stack1 - 4);
  task[9] = (u32)(u64)(spare + sizeof spare - 5);
  put("stacks 00: ");
  for (int ring = 0; ring < 2; ring++)
    for (u32 table = 0; table < 2; table++) {
      gate(idt + 2 * 0x30, CODE0, (u64)stubs + 16 * 0x30, 0xee, table);
      attempt(rings[ring], interrupt, 0);
      u64 base = table ? (u64)spare : ring ? (u64)stack0 : 0;
      where("at", base ? seen_depth - base : 0), where("ss", seen_ss);
      attempt(rings[ring], interrupt_odd, 0);
      where("at", base ? seen_depth - base : seen_rsp - seen_depth), where("ss", seen_ss);
    }
  /* From compatibility mode, and to ring 1. */
  gate(idt + 2 * 0x30, CODE0, (u64)stubs + 16 * 0x30, 0xee, 0);
  attempt(trynarrow, narrow_int, 0), where("at", seen_depth - (u64)stack0), where("ss", seen_ss);
  gdt[TARGET / 8] = descriptor(0, 0xfffff, 0xba, 0xa);
  gate(idt + 2 * 0x30, TARGET, (u64)landing, 0xee, 0);
  attempt(try3, interrupt, 0), where("ss", seen_ss), where("at", seen_rsp - (u64)stack1);
  /* A stack that is not canonical. */
  u32 keep = task[4];
  task[4] = 0x00800000;
  attempt(try3, interrupt, 0);
  task[4] = keep;
  /* A task state segment that ends before IST 1. */
  gate(idt + 2 * 0x30, CODE0, (u64)landing, 0xee, 7);
  gdt[TASK / 8] = descriptor((u64)task, 0x40, 0x89, 0);
  __asm__ volatile("ltr %%dx" ::"d"(TASK));
  try3(interrupt, 0), report();
  task[1] = (u32)(u64)(stack0 + sizeof stack0);
  out('\n', 0xe9);
}

static void fast(void) {
  wrmsr(0xc0000080, 0x501);
  wrmsr(0xc0000081, (u64)(0x23) << 48 | (u64)8 << 32);
  wrmsr(0xc0000082, (u64)landing), wrmsr(0xc0000083, (u64)landing), wrmsr(0xc0000084, 0x200);
  wrmsr(0x174, 8), wrmsr(0x175, (u64)(stack1 + 4000)), wrmsr(0x176, (u64)landing);
  put("fast 00: ");
  for (int ring = 0; ring < 2; ring++) {
    attempt(rings[ring], do_sysret, 0), attempt(rings[ring], do_sysretl, 0);
    attempt(rings[ring], do_swapgs, 0);
    attempt(rings[ring], do_syscall, 0);
    attempt(rings[ring], do_cr8, 0), attempt(rings[ring], do_hlt + (ring ? 0 : 1), 0);
  }
  wrmsr(0xc0000080, 0x500);
  attempt(try3, do_syscall, 0), attempt(try0, do_sysret, 0);
  out('\n', 0xe9);
}

/* SYSENTER and SYSEXIT: from everywhere, with and without a kernel's segment. */
static void enter(void) {
  static const u16 segments[] = {0, 3, 8, 0x0b, 0x33};
  wrmsr(0x175, (u64)(stack1 + 4000));
  for (u32 i = 0; i < sizeof segments / sizeof *segments; i++) {
    put("enter "), hex(segments[i], 2), put(": ");
    wrmsr(0x174, segments[i]), wrmsr(0x176, (u64)landing);
    attempt(try0, do_sysenter, 0), attempt(try3, do_sysenter, 0), attempt(trynarrow, narrow_sysenter, 0);
    where("sp", seen_rsp - (u64)stack1);
    wrmsr(0x176, (u64)landing_flags);
    attempt(try0, do_sysenter_if, 0), attempt(try3, do_sysenter_if, 0);
    attempt(try0, do_sysexit, 0), attempt(try3, do_sysexit, 0);
    where("sp", seen_rsp - (u64)stack3);
    attempt(try0, do_sysexitl, 0), attempt(try3, do_sysexitl, 0);
    attempt(try0, do_sysexit_rip, 0x800000000000), attempt(try0, do_sysexit_rsp, 0x800000000000);
    out('\n', 0xe9);
  }
}

static void addresses(void) {
  static const u64 list[] = {0x7ffffffffff8, 0x800000000000, 0xffff7fffffffffff, 0x8000000000000000, 0xfff0000000000000,
#if LEVELS == 5
    0x00fffffffffff000, 0x0100000000000000, 0xff00000000000000, 0xfeffffffffffffff
#endif
  };
  static const struct { const char *name; void *code; } tries[] = {{"read ", read_at}, {"pop ", read_stack}, {"push ", push_at}, {"jmp ", jump_to},
    {"call ", call_to}, {"ret ", ret_to}, {"iret ", iret_rip}};
  for (u32 t = 0; t < sizeof tries / sizeof *tries; t++) {
    put("address "), put(tries[t].name), put(": ");
    /* A stack that is not canonical could not take ring 0's exception either. */
    for (int ring = t == 1 || t == 2; ring < 2; ring++)
      for (u32 i = 1; i < sizeof list / sizeof *list; i++) attempt(rings[ring], tries[t].code, list[i]);
    out('\n', 0xe9);
  }
}

static void compatibility(void) {
  put("narrow 00: ");
  attempt(trynarrow, narrow, 0), attempt(trynarrow, narrow_far, 0), attempt(trynarrow, narrow_iret, 0);
  static const u16 list[] = {0, 3, 0x10, 0x13, 0x2b, 0x33, 0x23, 0x28};
  for (u32 i = 0; i < sizeof list / sizeof *list; i++)
    attempt(trynarrow, narrow_load, list[i]), attempt(trynarrow, narrow_ss, list[i]);
  out('\n', 0xe9);
}

void run(void) {
  gdt[1] = descriptor(0, 0xfffff, 0x9b, 0xa), gdt[2] = descriptor(0, 0xfffff, 0x93, 0xc);
  gdt[3] = descriptor(0, 0xfffff, 0x9b, 0xc), gdt[4] = descriptor(0, 0xfffff, 0xfb, 0xc);
  gdt[5] = descriptor(0, 0xfffff, 0xf3, 0xc), gdt[6] = descriptor(0, 0xfffff, 0xfb, 0xa);
  gdt[LOCAL / 8] = descriptor((u64)ldt, sizeof ldt - 1, 0x82, 0);
  for (u32 n = 0; n < 256; n++) gate(idt + 2 * n, CODE0, (u64)stubs + 16 * n, 0x8e, 0);
  task[1] = (u32)(u64)(stack0 + sizeof stack0), task[3] = (u32)(u64)(stack1 + sizeof stack1);
  struct { u16 limit; u64 base; } __attribute__((packed)) g = {sizeof gdt - 1, (u64)gdt}, i = {sizeof idt - 1, (u64)idt};
  __asm__ volatile("lgdt %0\n lidt %1\n pushq $0x08\n pushq $1f\n lretq\n1: mov $0x10, %%eax\n mov %%eax, %%ds\n mov %%eax, %%es\n mov %%eax, %%ss"
                   ::"m"(g), "m"(i) : "rax", "memory");
  out(0xff, 0x21), out(0xff, 0xa1);
#if LEVELS == 4
  static const struct { const char *name; void *code; } loads[] = {
    {"mov ds ", load_ds}, {"mov fs ", load_fs}, {"mov ss ", load_ss}, {"lar ", ask_lar}, {"lsl ", ask_lsl}, {"ltr ", load_tr}, {"lldt ", load_ldt},
    {"iret ss0 ", iret_ss0}, {"iret ss3 ", iret_ss3}, {"iret ss32 ", iret_ss32}};
  static const struct { const char *name; void *code; } codes[] = {{"jmp ", jump}, {"jmp32 ", jump32}, {"call ", call_far}, {"retf ", ret_far}, {"retf3 ", ret_far3}, {"iret ", iret_to}};
  for (u32 n = 0; n < sizeof loads / sizeof *loads; n++)
    all_types(loads[n].name, loads[n].code, 0xc), selectors(loads[n].name, loads[n].code);
  gdt[TARGET / 8] = descriptor(0, 0xfffff, 0xba, 0xa);
  selectors("iret ss1 ", iret_ss1);
  for (u32 n = 0; n < sizeof codes / sizeof *codes; n++) {
    for (u32 flags = 8; flags < 16; flags += 2)
      if (flags != 8 && flags != 12) all_types(codes[n].name, codes[n].code, flags);
    selectors(codes[n].name, codes[n].code);
  }
  gates("gate call ", call_far, 0);
  gates("gate jmp ", jump, 0);
  gates("gate int ", interrupt, 1);
  put("nt 00: "), attempt(try0, iret_nt, 0), out('\n', 0xe9);
#endif
  stacks();
  fast();
  enter();
  addresses();
  compatibility();
  put("end\n");
  out(0, 0xf4);
  for (;;) __asm__ volatile("cli\n hlt");
}

#if LEVELS == 5
/* The last table leads to the first. */
#define CR3_AND_CR4 "  lea 7(%edi), %eax\n  add $12288, %edi\n  mov %eax, (%edi)\n  mov %edi, %cr3\n  mov $0x1020, %eax\n  mov %eax, %cr4\n"
#else
#define CR3_AND_CR4 "  mov %edi, %cr3\n  mov $0x20, %eax\n  mov %eax, %cr4\n"
#endif
__asm__(".code32\n.globl _start\n_start:\n"
    "  mov $stack0 + 2048, %esp\n  pushl $2\n  popf\n"
    /* One page of 1 GiB would do where there are such: 2 MiB pages for the first GiB, open to ring 3. */
    "  mov $pages, %edi\n  lea 4096+7(%edi), %eax\n  mov %eax, (%edi)\n"
    "  lea 8192+7(%edi), %eax\n  mov %eax, 4096(%edi)\n"
    "  lea 8192(%edi), %edx\n  mov $0x87, %eax\n"
    "1:mov %eax, (%edx)\n  add $8, %edx\n  add $0x200000, %eax\n  cmp $0x40000087, %eax\n  jne 1b\n"
    CR3_AND_CR4
    "  mov $0xc0000080, %ecx\n  mov $0x100, %eax\n  xor %edx, %edx\n  wrmsr\n"
    "  mov %cr0, %eax\n  or $0x80000001, %eax\n  mov %eax, %cr0\n"
    "  lgdt table\n  ljmp $8, $2f\n"
    ".code64\n2:mov $0x10, %eax\n  mov %eax, %ds\n  mov %eax, %es\n  mov %eax, %ss\n  call run\n"
    ".align 8\nfirst: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff\ntable: .word 23\n .long first, 0\n");
