// {{name}}: a boot sector. The BIOS has loaded these 512 bytes to address 0x7c00 and jumps to the first instruction below, in real
// mode as every PC does. DL is the number of the drive that it booted from.
//
// The same image runs on any PC with a BIOS: put it on a floppy or a USB stick.

.code16
.globl _start
_start:
        ljmp    $0, $1f                 // some BIOSes come with 07C0:0000: now CS is 0
1:      xor     %ax, %ax
        mov     %ax, %ds                // addresses below are linked for segment 0
        mov     %ax, %ss
        mov     $_start, %sp            // the stack grows down from here
        mov     $greeting, %si          // SI walks along the text
        cld

next:   lodsb                           // AL = the byte at DS:SI; SI = SI + 1
        test    %al, %al                // the text ends with a zero byte
        jz      done
        mov     $0x0e, %ah              // INT 10h, function 0Eh: write a character
        mov     $0x0007, %bx            // page 0; the colour is for graphics modes
        int     $0x10
        jmp     next

done:   cli                             // no interrupt can wake the CPU:
        hlt                             // that ends the guest

greeting:
        .asciz  "Hello from {{name}}!\r\n"

        .org    510
        .word   0xaa55                  // what makes it a boot sector
