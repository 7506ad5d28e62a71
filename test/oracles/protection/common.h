/*
 * What the kernels of this folder share: a multiboot header for QEMU, which starts them in 32-bit protected mode, text on
 * port 0xE9, and descriptors (SDM 3A 3.4.5, 7.11).
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define STACK __attribute__((aligned(16), used))

__attribute__((section(".multiboot"), used)) static const u32 multiboot[3] = {0x1badb002, 0, -0x1badb002u};

static inline void out(u8 value, u16 port) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static void put(const char *text) { while (*text) out(*text++, 0xe9); }
static void hex(unsigned long value, int digits) {
  while (digits--) out("0123456789abcdef"[(value >> (4 * digits)) & 15], 0xe9);
}

static u64 descriptor(unsigned long base, u32 limit, u32 access, u32 flags) {
  return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 | (u64)((limit >> 16) & 15) << 48 |
         (u64)flags << 52 | (u64)((base >> 24) & 0xff) << 56;
}
#ifndef __x86_64__
static u64 gate(u32 selector, u32 offset, u32 access, u32 count) {
  return (offset & 0xffff) | (u64)selector << 16 | (u64)count << 32 | (u64)access << 40 | (u64)(offset >> 16) << 48;
}
#endif
