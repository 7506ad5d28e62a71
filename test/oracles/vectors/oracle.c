/*
 * The host's own processor runs instructions. Standard input holds cases of 1,088 bytes, standard output gets what became
 * of each, in the same form:
 *   0    state as FXRSTOR and FXSAVE have it, 512 bytes
 *   512  length of the instruction, 1 byte; the instruction, up to 15 bytes. Its memory operand is [rdi].
 *   528  the exception that it raised, 4 bytes: 1 where it was done; flags, 4 bytes
 *   536  RAX, RCX, RDX, RBX, 8 bytes each
 *   576  the memory at [rdi], 512 bytes
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

struct test {
  uint8_t state[512];
  uint8_t length;
  uint8_t code[15];
  uint32_t vector;
  uint32_t flags;
  uint64_t general[4];
  uint64_t unused;
  uint8_t memory[512];
} __attribute__((aligned(64)));

static struct test t;
static sigjmp_buf back;

static void failed(int number, siginfo_t *info, void *context) {
  const mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
  (void)info;
  memcpy(t.state, machine->fpregs, 512);
  t.vector = number == SIGILL ? 6 : number == SIGFPE ? 19 : 13;
  t.flags = (uint32_t)machine->gregs[REG_EFL];
  t.general[0] = (uint64_t)machine->gregs[REG_RAX];
  t.general[1] = (uint64_t)machine->gregs[REG_RCX];
  t.general[2] = (uint64_t)machine->gregs[REG_RDX];
  t.general[3] = (uint64_t)machine->gregs[REG_RBX];
  siglongjmp(back, 1);
}

static void run(const uint8_t *code) {
  uint64_t flags = t.flags;
  __asm__ volatile(
      "push %[flags]\n\t"
      "fxrstor %[state]\n\t"
      "popf\n\t"
      "call *%[code]\n\t"
      "pushf\n\t"
      "pop %[flags]\n\t"
      "fxsave %[state]\n\t"
      : [flags] "+r"(flags), [state] "+m"(t.state), "+m"(t.memory), "+a"(t.general[0]), "+c"(t.general[1]),
        "+d"(t.general[2]), "+b"(t.general[3])
      : [code] "r"(code), "D"(t.memory)
      : "cc", "memory");
  t.vector = 1;
  t.flags = (uint32_t)flags;
}

int main(void) {
  const uint32_t quiet = 0x1f80;
  struct sigaction action = {.sa_sigaction = failed, .sa_flags = SA_SIGINFO | SA_NODEFER};
  uint8_t *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED || sizeof t != 1088) return 1;
  sigaction(SIGILL, &action, 0);
  sigaction(SIGFPE, &action, 0);
  sigaction(SIGSEGV, &action, 0);
  while (fread(&t, sizeof t, 1, stdin) == 1) {
    memcpy(code, t.code, t.length);
    code[t.length] = 0xc3;
    if (sigsetjmp(back, 0) == 0) run(code);
    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(quiet));
    if (fwrite(&t, sizeof t, 1, stdout) != 1) return 1;
  }
  return 0;
}
