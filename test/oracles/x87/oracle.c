/*
 * The host's own x87 FPU runs instructions. Standard input holds cases of 256 bytes, standard output gets what became of
 * each, in the same form:
 *   0    state as FRSTOR and FNSAVE have it, 108 bytes
 *   108  length of the instruction, 1 byte; the instruction, up to 15 bytes. Its memory operand is [rdi].
 *   124  flags, 4 bytes
 *   128  the memory at [rdi], 128 bytes
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct test {
  uint8_t state[108];
  uint8_t length;
  uint8_t code[15];
  uint32_t flags;
  uint8_t memory[128];
};

int main(void) {
  struct test t;
  uint8_t *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED || sizeof t != 256) return 1;
  while (fread(&t, sizeof t, 1, stdin) == 1) {
    uint64_t flags = t.flags;
    memcpy(code, t.code, t.length);
    code[t.length] = 0xc3;
    __asm__ volatile(
        "push %[flags]\n\t"
        "popf\n\t"
        "frstor %[state]\n\t"
        "call *%[code]\n\t"
        "fnsave %[state]\n\t"
        "pushf\n\t"
        "pop %[flags]\n\t"
        : [flags] "+b"(flags), [state] "+m"(t.state), "+m"(t.memory)
        : [code] "r"(code), "D"(t.memory)
        : "rax", "cc", "memory");
    t.flags = (uint32_t)flags;
    if (fwrite(&t, sizeof t, 1, stdout) != 1) return 1;
  }
  return 0;
}
