// Thousands of page-table entries with random bits, one after the other, and the result of an access through each of them:
// the exception, its error code, CR2, and the accessed and dirty bits afterwards. In 32-bit, PAE, 4-level and 5-level paging (these two
// from compatibility mode), from rings 0 and 3, with WP, SMEP, SMAP, AC and NXE on and off. A multiboot image too, so that QEMU
// runs the same bytes.
typedef unsigned u32;
typedef unsigned long long u64;
typedef unsigned short u16;
typedef unsigned char u8;

#define SHAPES 3000
// The page that is tried, and where each size of page has to lie for it to be the same RAM.
#define ADDRESS 0x40723000u
#define FRAME 0x723000u
#define USER 0x00a00000u

__asm__(".text; .globl _start\n"
        "_start: jmp 1f\n"
        ".balign 4\n"
        ".long 0x1badb002, 0, -0x1badb002\n"
        "1: mov $stack_end, %esp\n"
        "call main\n"
        "2: hlt\n"
        "jmp 2b\n");

u8 stack[4096] __attribute__((aligned(16)));
__asm__(".globl stack_end; stack_end = stack + 4096");

// Three descriptors of flat segments for each ring, 64-bit code, and task state of 32 and of 64 bits.
enum { CODE = 8, DATA = 16, USER_CODE = 0x1b, USER_DATA = 0x23, CODE64 = 0x28, TASK = 0x30, TASK64 = 0x38 };
static u64 gdt[9] = {0, 0xcf9b000000ffffull, 0xcf93000000ffffull, 0xcffb000000ffffull, 0xcff3000000ffffull, 0xaf9b000000ffffull};
static u32 tss[26], tss64[26];
static u32 idt[256 * 4];
static struct { u16 limit; u32 base; } __attribute__((packed)) table;

// The result of the last probe.
volatile u32 vector, code, cr2, saved;

// Handlers of 32-bit code, then those of 64-bit code, which go back to compatibility mode with an IRET.
__asm__(".text\n"
        "done_32: movl $0x80, vector; jmp resume\n"
        "invalid_32: movl $6, vector; jmp resume\n"
        "general_32: movl $13, vector; popl code; jmp resume\n"
        "page_32: movl $14, vector; popl code; mov %cr2, %eax; mov %eax, cr2; jmp resume\n"
        ".code64\n"
        "done_64: movl $0x80, vector(%rip); jmp resume_64\n"
        "invalid_64: movl $6, vector(%rip); jmp resume_64\n"
        "general_64: movl $13, vector(%rip); pop %rax; mov %eax, code(%rip); jmp resume_64\n"
        "page_64: movl $14, vector(%rip); pop %rax; mov %eax, code(%rip); mov %cr2, %rax; mov %eax, cr2(%rip)\n"
        "resume_64: mov saved(%rip), %eax; pushq $16; push %rax; pushq $2; pushq $8; lea resume(%rip), %rax; push %rax\n"
        "iretq\n"
        ".code32\n");
void done_32(void), done_64(void), invalid_32(void), invalid_64(void);
void general_32(void), general_64(void), page_32(void), page_64(void);

// probe(what, flags, ring): reads (0), writes (1) or runs (2) ADDRESS.
__asm__(".text\n"
        "probe: push %ebp; push %ebx; push %esi; push %edi; mov %esp, saved\n"
        "mov 20(%esp), %ebx; mov 24(%esp), %edx; mov $0x40723000, %eax; mov $0x80cd80cd, %ecx\n"
        "cmpl $3, 28(%esp); je 3f\n"
        "push %edx; popf\n"
        "cmp $1, %ebx; jb 1f; je 2f; jmp *%eax\n"
        "1: mov (%eax), %ecx; int $0x80\n"
        "2: mov %ecx, (%eax); int $0x80\n"
        "3: push $0x23; push $0; push %edx; push $0x1b; shl $4, %ebx; add $0xa00000, %ebx; push %ebx; iret\n"
        "resume: mov saved, %esp; push $2; popf; mov $0x10, %eax; mov %eax, %ss\n"
        "pop %edi; pop %esi; pop %ebx; pop %ebp; ret\n");
void probe(u32 what, u32 flags, u32 ring);

static void out(u32 port, u8 byte) { __asm__ volatile("outb %%al, %%dx" : : "a"(byte), "d"(port)); }

static void hex(u32 value, int digits)
{
    while (digits--) out(0xe9, "0123456789abcdef"[value >> 4 * digits & 15]);
}

static u32 random_state = 1;
static u32 random(u32 n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % n;
}

static void gate(u32 number, void (*handler)(void), int wide, u32 dpl)
{
    u32 *entry = idt + number * (wide ? 4 : 2);
    entry[0] = (wide ? CODE64 : CODE) << 16 | ((u32)handler & 0xffff);
    entry[1] = ((u32)handler & 0xffff0000) | 0x8e00 | dpl << 13;
    if (wide) entry[2] = entry[3] = 0;
}

static void prepare(int wide)
{
    gate(6, wide ? invalid_64 : invalid_32, wide, 0);
    gate(13, wide ? general_64 : general_32, wide, 0);
    gate(14, wide ? page_64 : page_32, wide, 0);
    gate(0x80, wide ? done_64 : done_32, wide, 3);
    table.limit = sizeof(idt) - 1;
    table.base = (u32)idt;
    __asm__ volatile("lidt %0" : : "m"(table));
    u32 base = wide ? (u32)tss64 : (u32)tss;
    gdt[wide ? 7 : 6] = (u64)(base >> 24) << 56 | 0x890000000000ull | (u64)(base & 0xffffff) << 16 | 103;
    gdt[8] = 0;
    __asm__ volatile("ltr %w0" : : "r"(wide ? TASK64 : TASK));
}

// Tables for 4 KiB each: entries of 32 or of 64 bits.
static u32 directory[1024] __attribute__((aligned(4096))), low[1024] __attribute__((aligned(4096)));
static u64 highest[512] __attribute__((aligned(4096)));
static u64 top[512] __attribute__((aligned(4096))), pointers[512] __attribute__((aligned(4096)));
static u64 first[512] __attribute__((aligned(4096))), tried[512] __attribute__((aligned(4096)));
static u64 pages[512] __attribute__((aligned(4096)));

static void cr0(u32 value) { __asm__ volatile("mov %0, %%cr0" : : "r"(value)); }
static void cr3(void *value) { __asm__ volatile("mov %0, %%cr3" : : "r"(value)); }
static void cr4(u32 value) { __asm__ volatile("mov %0, %%cr4" : : "r"(value)); }
static void efer(u32 value) { __asm__ volatile("wrmsr" : : "a"(value), "d"(0), "c"(0xc0000080)); }

#define PG 0x80000000u
#define PE_ET_NE 0x31u
#define WP 0x10000u
#define LA57 0x1000u
#define SMEP 0x100000u
#define SMAP 0x200000u
#define NXE 0x800u
#define LME 0x100u

// The bits of a random entry: mostly present, some of the rights, sometimes one that must be 0.
static u32 bits(void)
{
    u32 entry = random(16) ? 1 : 0;
    if (random(4)) entry |= 2;
    if (random(4)) entry |= 4;
    // Write-through, no cache, accessed, dirty, global, and three bits that are the system's.
    return entry | (random(8) << 9) | (random(2) << 8) | (random(4) << 5) | (random(4) << 3);
}

static u64 wide_bits(int pae)
{
    u64 entry = bits();
    if (random(4) == 0) entry |= 1ull << 63;
    if (random(16) == 0) entry |= 1ull << (40 + random(pae ? 23 : 12));
    return entry;
}

static void try_one(void)
{
    u32 what = random(3), ac = random(2), ring = random(2) ? 3 : 0;
    vector = code = cr2 = 0;
    probe(what, 2 | ac << 18, ring);
    hex(vector, 2);
    hex(code, 2);
    hex(vector == 14 ? cr2 : 0, 8);
}

static void shapes32(void)
{
    prepare(0);
    for (u32 i = 0; i < 1024; i++) directory[i] = 0;
    directory[0] = 0x83;
    directory[1] = 0x400083;
    directory[2] = 0x800087;
    cr3(directory);
    cr4(0x10);
    cr0(PG | PE_ET_NE);
    for (u32 n = 0; n < SHAPES; n++) {
        u32 large = random(3) == 0;
        u32 pde = bits();
        if (large) pde |= 0x80 | 0x400000 | (random(8) == 0 ? 0x200000 : 0);
        else pde |= (u32)low;
        low[0x323] = bits() | FRAME;
        directory[0x101] = pde;
        cr4(0x10 | (random(2) ? SMEP : 0) | (random(2) ? SMAP : 0));
        cr0(PG | PE_ET_NE | (random(2) ? WP : 0));
        cr3(directory);
        try_one();
        hex(directory[0x101] & 0x60, 2);
        hex(low[0x323] & 0x60, 2);
        out(0xe9, n % 8 == 7 ? '\n' : ' ');
    }
    cr0(PE_ET_NE);
    cr4(0);
}

static void shapes64(int levels)
{
    int pae = levels == 3;
    u64 *root = pae ? pointers : levels == 4 ? top : highest;
    u32 control = 0x20 | (levels == 5 ? LA57 : 0);
    prepare(!pae);
    highest[0] = (u32)top | 7;
    for (u32 i = 0; i < 512; i++) top[i] = pointers[i] = first[i] = tried[i] = pages[i] = 0;
    top[0] = (u32)pointers | 7;
    pointers[0] = (u32)first | (pae ? 1 : 7);
    for (u32 i = 0; i < 5; i++) first[i] = i << 21 | 0x83;
    first[5] = 5 << 21 | 0x87;
    pointers[1] = (u32)tried | (pae ? 1 : 7);
    cr3(root);
    cr4(control);
    if (!pae) efer(LME);
    cr0(PG | PE_ET_NE);
    for (u32 n = 0; n < SHAPES; n++) {
        u32 large = random(3) == 0, huge = !pae && random(8) == 0;
        u64 pointer = (u32)tried | 1;
        if (!pae) pointer = wide_bits(0) | (huge ? 0x80 | (random(8) == 0 ? 0x2000 << random(16) : 0) : (u32)tried);
        u64 entry = wide_bits(pae);
        if (large) entry |= 0x80 | 0x600000 | (random(8) == 0 ? 0x2000 << random(8) : 0);
        else entry |= (u32)pages;
        tried[3] = entry;
        pages[0x123] = wide_bits(pae) | FRAME;
        pointers[1] = pointer;
        efer((random(2) ? NXE : 0) | (pae ? 0 : LME));
        cr4(control | (random(2) ? SMEP : 0) | (random(2) ? SMAP : 0));
        cr0(PG | PE_ET_NE | (random(2) ? WP : 0));
        highest[0] &= ~0x60;
        cr3(root);
        try_one();
        // Processors and emulators differ in whether a page of 1 GiB that may not be used counts as accessed.
        if (!pae) hex(huge && vector == 14 ? 0 : pointers[1] & 0x60, 2);
        if (levels == 5) hex(highest[0] & 0x60, 2);
        hex(tried[3] & 0x60, 2);
        hex(pages[0x123] & 0x60, 2);
        out(0xe9, n % 8 == 7 ? '\n' : ' ');
    }
    cr0(PE_ET_NE);
    efer(0);
    cr4(0);
}

int main(void)
{
    table.limit = sizeof(gdt) - 1;
    table.base = (u32)gdt;
    __asm__ volatile("lgdt %0; ljmp $8, $1f; 1: mov %w1, %%ss; mov %w2, %%ds; mov %w2, %%es"
                     :
                     : "m"(table), "r"(DATA), "r"(USER_DATA));
    tss[1] = tss64[1] = (u32)stack + 2048;
    tss[2] = DATA;
    for (u32 i = 0; i < 2048; i++) ((volatile u16 *)FRAME)[i] = 0x80cd;
    static const u8 code_of_user[3][4] = {{0x8b, 0x08, 0xcd, 0x80}, {0x89, 0x08, 0xcd, 0x80}, {0xff, 0xe0, 0xcd, 0x80}};
    for (u32 i = 0; i < 12; i++) ((volatile u8 *)USER)[i / 4 * 16 + i % 4] = code_of_user[i / 4][i % 4];
    shapes32();
    shapes64(3);
    shapes64(4);
    shapes64(5);
    out(0xf4, 0);
    return 0;
}
