; {{name}}: a boot sector. The processor starts in real mode, as every PC does, at the first instruction below.
;
; There is no BIOS here, and so no INT 10h that writes. There are ports.

PORT_CONSOLE equ 0xe9                   ; a byte out is a character on the console

bits 16
org 0x7c00                              ; where a PC's firmware puts a boot sector

start:  mov     si, greeting            ; SI walks along the text
        cld

next:   lodsb                           ; AL = the byte at DS:SI; SI = SI + 1
        test    al, al                  ; the text ends with a zero byte
        jz      done
        out     PORT_CONSOLE, al        ; leaves the guest: one VM exit, one letter
        jmp     next

done:   cli                             ; no interrupt can wake the CPU:
        hlt                             ; that ends the guest

greeting:
        db      "Hello from {{name}}!", 10, 0

        times   510 - ($ - $$) db 0
        dw      0xaa55                  ; what makes it a boot sector
