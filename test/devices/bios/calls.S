# Makes the calls of a table and writes what comes back to COM1, a line each: the same image runs under another BIOS for comparison.
# calls.test.ts puts the table after the code: entries of 32 bytes, the first byte 0 at the end.
#   0 the interrupt, FFh to write bytes of memory: EBX from where, ECX how many; FEh for a VGA register: EBX the port, ECX its index;
#     FDh for a register of Bochs' display interface: EBX its index; FCh to put EAX into memory at EBX
#   4 EAX, 8 EBX, 12 ECX, 16 EDX, 20 ESI, 24 EDI, 28 ES, 30 BP
        .code16
        .globl  _start
_start:
        ljmp    $0, $1f
1:      xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7000, %sp
        cld
        mov     %dl, drive
        mov     $0x0240, %ax
        mov     $0x7e00, %bx
        mov     $0x0002, %cx
        xor     %dh, %dh
        int     $0x13
        jc      failed
        mov     $table, %si
next:   mov     (%si), %al
        test    %al, %al
        jz      done
        push    %si
        cmp     $0xff, %al
        je      bytes
        cmp     $0xfe, %al
        je      register
        cmp     $0xfd, %al
        je      display
        cmp     $0xfc, %al
        je      store
        mov     %al, number
        mov     28(%si), %ax
        mov     %ax, %es
        mov     4(%si), %eax
        mov     8(%si), %ebx
        mov     12(%si), %ecx
        mov     16(%si), %edx
        mov     24(%si), %edi
        mov     30(%si), %bp
        mov     20(%si), %esi
        .byte   0xcd
number: .byte   0
        pushf
        push    %es
        push    %bp
        push    %edi
        push    %esi
        push    %edx
        push    %ecx
        push    %ebx
        push    %eax
        mov     $6, %cx
1:      pop     %eax
        call    long
        loop    1b
        mov     $3, %cx                 # BP, ES, and of the flags CF and ZF
1:      pop     %ax
        cmp     $1, %cx
        jne     2f
        and     $0x41, %ax
2:      movzwl  %ax, %eax
        call    long
        loop    1b
        jmp     line
bytes:  mov     8(%si), %ebx
        mov     12(%si), %cx
1:      mov     %ebx, %eax
        shr     $4, %eax
        mov     %ax, %es
        mov     %bx, %di
        and     $15, %di
        mov     %es:(%di), %al
        call    byte
        inc     %ebx
        loop    1b
        jmp     line
display:
        mov     $0x1ce, %dx
        mov     8(%si), %ax
        out     %ax, %dx
        inc     %dx
        in      %dx, %ax
        movzwl  %ax, %eax
        call    long
        jmp     line
store:  mov     8(%si), %ebx
        shr     $4, %ebx
        mov     %bx, %es
        mov     8(%si), %di
        and     $15, %di
        mov     4(%si), %eax
        mov     %eax, %es:(%di)
        jmp     line
register:
        mov     8(%si), %dx
        mov     12(%si), %al
        cmp     $0x3c0, %dx
        je      1f
        out     %al, %dx
        inc     %dx
        in      %dx, %al
        call    byte
        jmp     line
1:      mov     $0x3da, %dx
        in      %dx, %al
        mov     12(%si), %al
        or      $0x20, %al
        mov     $0x3c0, %dx
        out     %al, %dx
        inc     %dx
        in      %dx, %al
        push    %ax
        mov     $0x3da, %dx
        in      %dx, %al
        pop     %ax
        call    byte
line:   mov     $10, %al
        call    send
        pop     %si
        add     $32, %si
        jmp     next
done:   mov     $'.', %al
        call    send
        mov     $10, %al
        call    send
        mov     $0x31, %al              # QEMU's isa-debug-exit, and ours
        out     %al, $0xf4
failed: cli
        hlt
        jmp     failed

long:   push    %cx
        mov     $4, %cx
1:      rol     $8, %eax
        call    byte
        loop    1b
        mov     $' ', %al
        call    send
        pop     %cx
        ret
byte:   push    %eax
        push    %ax
        shr     $4, %al
        call    digit
        pop     %ax
        and     $15, %al
        call    digit
        pop     %eax
        ret
digit:  and     $15, %al
        add     $'0', %al
        cmp     $'9', %al
        jbe     send
        add     $39, %al
send:   push    %dx
        push    %ax
        mov     $0x3fd, %dx
1:      in      %dx, %al
        test    $0x20, %al
        jz      1b
        pop     %ax
        mov     $0x3f8, %dx
        out     %al, %dx
        pop     %dx
        ret
drive:  .byte   0
        .org    510
        .word   0xaa55
table:
