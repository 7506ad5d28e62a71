# VBE's interface for protected mode (VBE 3.0, 4.13): a table and code of 32 bits, which programs copy to where they like. It drives the
# display by its ports alone. rom.ts puts it where both ROMs have it.
        .code32
        .equ INDEX, 0x1ce               # of Bochs' display interface; its data port is the next one
        .equ BITS, 3
        .equ BANK, 5
        .equ VIRTUAL_WIDTH, 6
        .equ X, 8
        .equ Y, 9
        .equ COLOUR, 0x3c8
        .equ OK, 0x004f
        .equ FAILED, 0x014f

        .globl  _start
_start: .word   set_window - _start, set_start - _start, set_palette - _start, ports - _start

# As AX=4F05h: BX is 0, DX the bank.
set_window:
        test    %bx, %bx
        jnz     failed
        pushal
        mov     %edx, %eax
        mov     $BANK, %cl
        call    put
        popal
ok:     mov     $OK, %ax
        ret
failed: mov     $FAILED, %ax
        ret

# As AX=4F07h, BL = 00h or 80h, but CX and DX are the low and high half of an address: in bytes of a plane, else in units of 4 bytes.
set_start:
        test    $0x7f, %bl
        jnz     failed
        pushal
        movzwl  %cx, %esi
        shl     $16, %edx
        or      %edx, %esi
        mov     $VIRTUAL_WIDTH, %cl
        call    get
        mov     %eax, %ebp
        mov     $BITS, %cl
        call    get
        cmp     $4, %eax
        je      planes
        add     $7, %eax
        shr     $3, %eax
        mov     %eax, %edi              # bytes of a pixel
        imul    %eax, %ebp              # bytes of a line
        jz      2f
        lea     (,%esi,4), %eax
        xor     %edx, %edx
        div     %ebp
        xchg    %eax, %edx              # EDX: the line, EAX: the byte in it
        mov     %edx, %ebx
        xor     %edx, %edx
        div     %edi
        jmp     1f
planes: shr     $3, %ebp
        jz      2f
        mov     %esi, %eax
        xor     %edx, %edx
        div     %ebp
        mov     %eax, %ebx
        lea     (,%edx,8), %eax
1:      mov     $X, %cl
        call    put
        mov     %ebx, %eax
        mov     $Y, %cl
        call    put
2:      popal
        jmp     ok

# As AX=4F09h, BL = 00h or 80h: CX colours from DX on, from ES:EDI: blue, green, red and an unused byte each.
set_palette:
        test    $0x7f, %bl
        jnz     failed
        pushal
        movzwl  %cx, %ecx
        jecxz   2f
        mov     %edx, %eax
        mov     $COLOUR, %edx
        out     %al, %dx
        inc     %edx
1:      mov     %es:2(%edi), %al
        out     %al, %dx
        mov     %es:1(%edi), %al
        out     %al, %dx
        mov     %es:(%edi), %al
        out     %al, %dx
        add     $4, %edi
        loop    1b
2:      popal
        jmp     ok

# Register CL ← AX.
put:    push    %eax
        mov     $INDEX, %edx
        movzbl  %cl, %eax
        out     %ax, %dx
        pop     %eax
        inc     %edx
        out     %ax, %dx
        ret
# EAX ← register CL.
get:    mov     $INDEX, %edx
        movzbl  %cl, %eax
        out     %ax, %dx
        inc     %edx
        xor     %eax, %eax
        in      %dx, %ax
        ret

# The ports that it uses, and no memory.
ports:  .word   INDEX, INDEX + 1, COLOUR, COLOUR + 1, 0xffff, 0xffff
