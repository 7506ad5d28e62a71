// Long mode is turned on without CR4.PAE.

.code32
.globl _start
_start:
        mov     $0x200000, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx
        rdmsr
        or      $0x100, %eax                    // EFER.LME
        wrmsr
        mov     %cr0, %eax
        or      $0x80000000, %eax               // CR0.PG
        mov     %eax, %cr0
        hlt
