/*
 * Tries every kind of descriptor with every instruction that loads or asks about one, from ring 0 and ring 3, and writes
 * what came of it to port 0xE9: a line for each instruction, ring and RPL. Runs under QEMU (multiboot) and Terrarium alike;
 * the test compares the two.
 */
#include "common.h"

enum { CODE0 = 0x08, DATA0 = 0x10, CODE3 = 0x1b, DATA3 = 0x23, TASK = 0x28, CODE1 = 0x31, DATA1 = 0x39,
       TEST = 0x40, TARGET = 0x48, SPARE = 0x50, LOCAL = 0x60, ENTRIES = 14 };

static u64 gdt[ENTRIES] __attribute__((aligned(16)));
static u64 ldt[2];
static u64 idt[256] __attribute__((aligned(16)));
static u32 task[26 + 16];
static u8 stack0[4096], stack1[4096], stack3[4096] __attribute__((aligned(16)));

/* The result of the last attempt. */
u32 seen_vector, seen_code, seen_cs, seen_ss, seen_eax, seen_depth;
u32 kernel_esp;

/* Every vector comes here with its number and a code (0xffff where there is none) on the stack. */
void caught(void);
__asm__(
    "caught:\n"
    "  push %eax\n"
    "  mov $0x10, %eax\n  mov %eax, %ds\n  mov %eax, %es\n"
    "  pop seen_eax\n"
    "  pop seen_vector\n  pop seen_code\n"
    "  mov 4(%esp), %eax\n  mov %eax, seen_cs\n"
    "  and $3, %eax\n  mov %ss, %ebx\n  and $3, %ebx\n"
    "  cmp %eax, %ebx\n  mov %ss, seen_ss\n  mov %esp, seen_depth\n  je 1f\n"
    "  mov 16(%esp), %eax\n  mov %eax, seen_ss\n  mov 12(%esp), %eax\n  mov %eax, seen_depth\n"
    "1:mov $0x10, %eax\n  mov %eax, %ss\n  mov kernel_esp, %esp\n"
    "  popa\n  ret\n"
    /* The target of every jump that succeeds, which it reports by vector 40. */
    "landing:\n  int $0x40\n"
    /* stubs of 16 bytes */
    ".align 16\nstubs:\n"
    ".set n, 0\n.rept 256\n .align 16\n"
    " .if (n == 8) || (n >= 10 && n <= 14) || (n == 17)\n .else\n pushl $0xffff\n .endif\n"
    " pushl $n\n jmp caught\n .set n, n + 1\n.endr\n");
extern u8 stubs[], landing[];

/* Calls `code` in ring 0 with EAX = a, ECX = c; comes back when something is caught. */
void try0(void (*code)(void), u32 a, u32 c);
void try3(void (*code)(void), u32 a, u32 c);
__asm__(
    "try0:\n  mov 4(%esp), %ebx\n  mov 8(%esp), %eax\n  mov 12(%esp), %ecx\n  pusha\n  mov %esp, kernel_esp\n"
    "  jmp *%ebx\n"
    "try3:\n  mov 4(%esp), %ebx\n  mov 8(%esp), %eax\n  mov 12(%esp), %ecx\n  pusha\n  mov %esp, kernel_esp\n"
    "  pushl $0x23\n  pushl $stack3 + 4096 - 64\n  pushl $2\n  pushl $0x1b\n  push %ebx\n"
    "  mov $0x23, %edx\n  mov %edx, %ds\n  mov %edx, %es\n  iret\n");

/* The instructions: AX is the selector. ECX is that of the current data segment. */
#define TRY(name, code) void name(void); __asm__(#name ":\n" code "\n  int $0x40\n")
TRY(load_ds, "mov %eax, %ds");
TRY(load_es, "mov %eax, %es");
TRY(load_gs, "mov %eax, %gs\n mov %gs, %eax");
TRY(pop_fs, "push %eax\n pop %fs");
TRY(load_ss, "mov %eax, %ss\n mov %ecx, %ss");
TRY(ask_lar, "xor %edx, %edx\n lar %eax, %edx\n setz %al\n movzx %al, %eax\n or %edx, %eax");
TRY(ask_lsl, "xor %edx, %edx\n lsl %eax, %edx\n setz %al\n movzx %al, %eax\n or %edx, %eax");
TRY(ask_verr, "verr %ax\n setz %al\n movzx %al, %eax");
TRY(ask_verw, "verw %ax\n setz %al\n movzx %al, %eax");
TRY(jump, "push %eax\n push $landing\n ljmp *(%esp)");
TRY(call_far, "push %eax\n push $landing\n lcall *(%esp)");
TRY(call_far16, "push %eax\n pushw $0x5555\n lcallw *(%esp)");
TRY(ret_far, "push %ecx\n lea -32(%esp), %edx\n push %edx\n push %eax\n push $landing\n lret");
TRY(iret_to, "push %ecx\n lea -32(%esp), %edx\n push %edx\n push $2\n push %eax\n push $landing\n iret");
/* To ring 3 with EAX as its stack. */
TRY(iret_stack, "push %eax\n push $stack3 + 4000\n push $2\n push $0x1b\n push $landing\n iret");
TRY(interrupt, "int $0x30");
TRY(interrupt1, "int $0x31");
TRY(load_tr, "ltr %ax");
TRY(load_ldt, "lldt %ax");
TRY(load_lds, "push %eax\n push $0x12345\n lds (%esp), %edx");
TRY(do_arpl, "mov $0x41, %edx\n arpl %ax, %dx\n setz %al\n movzx %al, %eax\n or %edx, %eax");
TRY(do_hlt, "hlt");
TRY(do_cli, "cli");
TRY(do_sti, "sti");
TRY(do_clts, "clts");
TRY(do_smsw, "smsw %ax\n and $1, %eax");
TRY(do_lmsw, "smsw %ax\n lmsw %ax\n and $1, %eax");
TRY(do_cr0, "mov %cr0, %edx");
TRY(do_dr7, "mov %dr7, %edx");
TRY(do_in, "in $0x80, %al\n xor %eax, %eax");
TRY(do_in16, "in $0x87, %ax\n xor %eax, %eax");
TRY(do_in2, "in $0x88, %al\n xor %eax, %eax");
TRY(do_popf, "pushl $0x3202\n popf\n pushf\n pop %eax\n cli");
TRY(do_popf3, "pushl $0x3202\n popf\n pushf\n pop %eax");
TRY(do_lgdt, "sub $8, %esp\n sgdt (%esp)\n lgdt (%esp)");
TRY(do_int3, "int3");
TRY(do_into, "mov $0x7fffffff, %eax\n inc %eax\n into");
TRY(do_ud, "ud2");
TRY(do_invlpg, "invlpg (%esp)");
TRY(do_wbinvd, "wbinvd");

static void report(void) {
  hex(seen_vector, 2);
  if (seen_code != 0xffff) out('.', 0xe9), hex(seen_code, 3);
  if (seen_vector == 0x40) out('=', 0xe9), hex(seen_eax, 1 + (seen_eax > 15) * 3 + (seen_eax > 0xffff) * 4), out('/', 0xe9), hex(seen_cs, 2), out('/', 0xe9), hex(seen_ss, 2);
  out(' ', 0xe9);
}

static void reset(void) {
  gdt[TASK / 8] = descriptor((u32)task, sizeof task - 1, 0x89, 0);
  __asm__ volatile("lldt %%ax\n ltr %%dx" ::"a"(0), "d"(TASK));
  __asm__ volatile("mov %0, %%fs\n mov %0, %%gs" ::"r"(0));
}

static void attempt(void (*code)(void), int ring, u32 selector) {
  reset();
  seen_eax = seen_cs = seen_ss = 0;
  if (ring == 0) try0(code, selector, DATA0);
  else try3(code, selector, DATA3);
  report();
}

static void line(const char *name, int ring, u32 rpl) {
  put(name);
  out('0' + ring, 0xe9), out('0' + rpl, 0xe9), put(": ");
}

/* All types, two privileges, present or not. */
static void all_types(const char *name, void (*code)(void), u32 which, u32 base) {
  for (int ring = 0; ring <= 3; ring += 3)
    for (u32 rpl = 0; rpl <= 3; rpl += 3) {
      line(name, ring, rpl);
      for (u32 access = 0; access < 0x100; access++) {
        u32 dpl = (access >> 5) & 3, type = access & 0x1f;
        if (dpl == 2 || (dpl == 1 && !(access & 0x10))) continue;
        /* Gates and tasks have their own lines. */
        if (type == 1 || type == 9 || (type >= 4 && type <= 7) || type == 12 || type >= 28 + 4) continue;
        gdt[which / 8] = descriptor(base, 0xfffff, access, 0xc);
        attempt(code, ring, TEST | rpl);
      }
      out('\n', 0xe9);
    }
}

static void selectors(const char *name, void (*code)(void)) {
  static const u16 list[] = {0, 1, 3, 0x08, 0x10, 0x13, 0x1b, 0x20, 0x23, 0x28, 0x70, 0x78, 0xfff8, 0xffff, 4, 7, 0x0c, 0x14, 0x64};
  for (int ring = 0; ring <= 3; ring += 3) {
    line(name, ring, 9);
    for (u32 i = 0; i < sizeof list / sizeof *list; i++) attempt(code, ring, list[i]);
    out('\n', 0xe9);
  }
}

static void gates(const char *name, void (*code)(void), int through_idt) {
  static const u8 targets[] = {0x9a, 0x9e, 0xba, 0xbe, 0xfa, 0xfe, 0x1a, 0x92};
  static const u8 types[] = {0x04, 0x0c, 0x06, 0x07, 0x0e, 0x0f, 0x05};
  for (u32 t = 0; t < sizeof targets; t++) {
    gdt[TARGET / 8] = descriptor(0, 0xfffff, targets[t], 0xc);
    for (u32 k = 0; k < sizeof types; k++)
      for (int ring = 0; ring <= 3; ring += 3) {
        put(name), hex(targets[t], 2), hex(types[k], 2), line("", ring, 0);
        for (u32 dpl = 0; dpl <= 3; dpl += 3)
          for (u32 present = 0; present <= 0x80; present += 0x80)
            for (u32 rpl = 0; rpl <= 3; rpl += 3) {
              /* A gate of 16 bits goes to a landing that is not there: only its refusals are of interest. */
              int narrow = types[k] != 0x0c && types[k] < 0x0e;
              if (narrow && (dpl >= (u32)ring && present)) continue;
              u64 g = gate(TARGET | rpl, (u32)landing, present | dpl << 5 | types[k], 0);
              if (through_idt) idt[0x30] = g;
              else gdt[TEST / 8] = g;
              attempt(code, ring, TEST | rpl);
            }
        out('\n', 0xe9);
      }
  }
}

/* Ring 1 by an interrupt: every kind of stack for it in the task state segment. */
static void inner_stacks(void) {
  idt[0x31] = gate(CODE1, (u32)landing, 0xee, 0);
  for (u32 rpl = 0; rpl <= 3; rpl++) {
    line("ss1 ", 3, rpl);
    for (u32 access = 0; access < 0x100; access++) {
      if ((access & 0x1f) == 0x16 || (access & 0x1f) == 0x17) continue;
      gdt[TEST / 8] = descriptor(0, 0xfffff, access, 0xc);
      task[4] = TEST | rpl;
      attempt(interrupt1, 3, 0);
    }
    out('\n', 0xe9);
  }
  line("ss1 ", 3, 8);
  static const u16 list[] = {0, 1, 4, 0x39, 0x3b, 0x10, 0x71, 0x79, 0xfff9};
  for (u32 i = 0; i < sizeof list / sizeof *list; i++) task[4] = list[i], attempt(interrupt1, 3, 0);
  task[4] = DATA1;
  out('\n', 0xe9);
}

static void privileges(void) {
  static void (*const list[])(void) = {do_hlt, do_cli, do_sti, do_clts, do_smsw, do_lmsw, do_cr0, do_dr7, do_in, do_in16,
    do_in2, do_popf3, do_lgdt, do_int3, do_into, do_ud, do_invlpg, do_wbinvd};
  line("privileged ", 3, 0);
  for (u32 i = 0; i < sizeof list / sizeof *list; i++) attempt(list[i], 3, 0);
  out('\n', 0xe9);
  line("privileged ", 0, 0);
  for (u32 i = 3; i < sizeof list / sizeof *list; i++)
    if (list[i] != do_popf3) attempt(list[i], 0, 0);
  attempt(do_popf, 0, 0);
  out('\n', 0xe9);
}

/* Limits, as LSL gives them: in bytes and pages. QEMU's TCG does not check them on accesses. */
static void limits(void) {
  static const u32 list[] = {0, 0xf, 0x10, 0x11, 0xfff, 0x1000, 0x1001, 0xfffe, 0xffff, 0x10000, 0xffffe, 0xfffff};
  for (u32 access = 0x90; access < 0x9c; access++)
    for (u32 flags = 0; flags < 16; flags += 4) {
      put("limit "), hex(access, 2), hex(flags, 1), put(": ");
      for (u32 i = 0; i < sizeof list / sizeof *list; i++) {
        gdt[TEST / 8] = descriptor((u32)stack3 - 0x10, list[i], access, flags);
        attempt(ask_lsl, 0, TEST);
      }
      out('\n', 0xe9);
    }
}

void run(void) {
  gdt[1] = descriptor(0, 0xfffff, 0x9b, 0xc), gdt[2] = descriptor(0, 0xfffff, 0x93, 0xc);
  gdt[3] = descriptor(0, 0xfffff, 0xfb, 0xc), gdt[4] = descriptor(0, 0xfffff, 0xf3, 0xc);
  gdt[6] = descriptor(0, 0xfffff, 0xbb, 0xc), gdt[7] = descriptor(0, 0xfffff, 0xb3, 0xc);
  gdt[LOCAL / 8] = descriptor((u32)ldt, sizeof ldt - 1, 0x82, 0);
  ldt[0] = gdt[2], ldt[1] = gdt[4];
  for (u32 n = 0; n < 256; n++) idt[n] = gate(CODE0, (u32)stubs + 16 * n, n == 0x40 ? 0xee : 0x8e, 0);
  task[1] = (u32)stack0 + sizeof stack0, task[2] = DATA0;
  task[3] = (u32)stack1 + sizeof stack1, task[4] = DATA1;
  /* Port 80 is open, 88 to 8F are open but for 88. */
  task[25] = 104 << 16;
  for (u32 i = 26; i < 42; i++) task[i] = ~0u;
  ((u8 *)task)[104 + 0x10] = 0x7e, ((u8 *)task)[104 + 0x11] = 0x01;
  /* A PC delivers its timer once IF is set. */
  out(0xff, 0x21), out(0xff, 0xa1);
  struct { u16 limit; u32 base; } __attribute__((packed)) g = {sizeof gdt - 1, (u32)gdt}, i = {sizeof idt - 1, (u32)idt};
  __asm__ volatile("lgdt %0\n lidt %1\n ljmp $0x08, $1f\n1: mov $0x10, %%eax\n mov %%eax, %%ds\n mov %%eax, %%es\n mov %%eax, %%ss"
                   ::"m"(g), "m"(i) : "eax", "memory");
  privileges();
  static const struct { const char *name; void (*code)(void); } loads[] = {
    {"mov ds ", load_ds}, {"mov es ", load_es}, {"mov gs ", load_gs}, {"pop fs ", pop_fs}, {"mov ss ", load_ss},
    {"lds ", load_lds}, {"lar ", ask_lar}, {"lsl ", ask_lsl}, {"verr ", ask_verr}, {"verw ", ask_verw}, {"jmp ", jump},
    {"call ", call_far}, {"retf ", ret_far}, {"iret ", iret_to}, {"iret ss ", iret_stack}, {"lldt ", load_ldt}, {"ltr ", load_tr}, {"arpl ", do_arpl}};
  for (u32 n = 0; n < sizeof loads / sizeof *loads; n++) {
    all_types(loads[n].name, loads[n].code, TEST, 0);
    selectors(loads[n].name, loads[n].code);
  }
  gates("gate call ", call_far, 0);
  gates("gate jmp ", jump, 0);
  gates("gate int ", interrupt, 1);
  inner_stacks();
  limits();
  put("end\n");
  out(0, 0xf4);
  for (;;) __asm__ volatile("cli\n hlt");
}

__asm__(".globl _start\n_start:\n  mov $stack0 + 2048, %esp\n  pushl $2\n  popf\n  call run\n");
