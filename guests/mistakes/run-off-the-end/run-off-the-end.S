// There is no HLT: the CPU continues after the last instruction.
// run: --memory 2M
.code32
.globl _start
_start:
        mov     $0x200000, %eax
        mov     $1, %ebx
