# The BIOS's ROM: F000:D000 to F000:FFFF, in 16 bits. The fonts lie below it; rom.ts puts both together.
#
# A service's entry pushes its number and goes to `service`, which lays a frame on the caller's stack and tells the trap port where that
# is. The work is done there, in TypeScript (../services/), on the frame and on guest memory: no register is touched but through the frame.
# What stays in assembly are the hardware interrupts, which have to talk to the interrupt controllers as any driver does.
#
# Entries lie where an IBM AT has them, since programs jump there. `npm run bios-rom` builds ../rom-image.ts from this.

        .code16
        .equ TRAP, 0xb105
        .equ PIC1, 0x20
        .equ PIC2, 0xa0
        .equ EOI, 0x20
        # Numbers of services that are not called by INT.
        .equ SERVICE_POST, 0x100
        .equ SERVICE_UNSERVED, 0x200

        # An entry: its address, and the number of its service.
        .macro entry at, number
        .org \at - 0xd000
        push    $\number
        jmp     service
        .endm

        .globl  _start
_start:
# D000: a HLT for each vector, where a CPU stops at an exception or call without a handler: the address tells which.
        .fill   256, 1, 0xf4

# D100: calls without a handler that do nothing on a PC: six bytes each.
        .org    0x100
unserved:
        .set    vector, 0
        .rept   256
        .byte   0x68
        .word   SERVICE_UNSERVED + vector
        .byte   0xe9
        .word   service - (. + 2)
        .set    vector, vector + 1
        .endr

        .org    0x700
        .include "service.inc"

# Power-up, and jumps to F000:FFF0: the chips as after an AT's BIOS, the rest by the service.
power_up:
        cli
        cld
        xor     %ax, %ax
        mov     %ax, %ss
        mov     %ax, %ds
        mov     $0x7c00, %sp
        mov     $0x11, %al              # ICW1: edges, a cascade, ICW4 follows
        out     %al, $PIC1
        out     %al, $PIC2
        mov     $0x08, %al              # ICW2: IRQ 0 to 7 are vectors 08h to 0Fh,
        out     %al, $PIC1 + 1
        mov     $0x70, %al              # IRQ 8 to 15 are 70h to 77h
        out     %al, $PIC2 + 1
        mov     $0x04, %al              # ICW3: the second is at the first's pin 2
        out     %al, $PIC1 + 1
        mov     $0x02, %al
        out     %al, $PIC2 + 1
        mov     $0x01, %al              # ICW4: 8086 mode
        out     %al, $PIC1 + 1
        out     %al, $PIC2 + 1
        mov     $0xb8, %al              # timer, keyboard, second controller and floppy
        out     %al, $PIC1 + 1
        mov     $0x8f, %al              # mouse, FPU and disks
        out     %al, $PIC2 + 1
        mov     $0x4d1, %dx             # ELCR: the requests of PCI, 10 and 11, are level-triggered
        mov     $0x0c, %al
        out     %al, %dx
        mov     $0x36, %al              # counter 0, mode 3, 65,536: 18.2 Hz
        out     %al, $0x43
        xor     %al, %al
        out     %al, $0x40
        out     %al, $0x40
        pushf
        push    %cs
        push    $1f
        push    $SERVICE_POST
        jmp     service
1:      int     $0x19
        jmp     asleep

# INT 19h and 18h begin with an empty stack: they do not return. The service sets where to continue.
start_disk:
        mov     $0x19, %bx
        jmp     1f
start_nothing:
        mov     $0x18, %bx
1:      cli
        xor     %ax, %ax
        mov     %ax, %ss
        mov     $0x7c00, %sp
        pushf
        push    %cs
        push    $asleep
        push    %bx
        jmp     service
asleep:
        sti
        hlt
        jmp     asleep

# IRQ 0: the tick counter, midnight, the floppy's motor; then the handlers of INT 1Ch.
irq0:
        push    %ds
        push    %ax
        mov     $0x40, %ax
        mov     %ax, %ds
        incl    0x6c
        cmpl    $0x1800b0, 0x6c         # ticks of a day
        jb      1f
        movl    $0, 0x6c
        incb    0x70
1:      cmpb    $0, 0x40                # the motor's time
        je      2f
        decb    0x40
2:      push    %dx
        int     $0x1c
        pop     %dx
        mov     $EOI, %al
        out     %al, $PIC1
        pop     %ax
        pop     %ds
        iret

# IRQ 1: a scan code goes by INT 15h AH=4Fh, then to the service, which tells whether a further INT is due.
irq1:
        push    %ax
        in      $0x60, %al
        mov     $0x4f, %ah
        stc
        int     $0x15
        jnc     1f
        pushf
        push    %cs
        call    keystroke
        jmp     2f
1:      xor     %al, %al
2:      mov     %al, %ah
        mov     $EOI, %al
        out     %al, $PIC1
        cmp     $0x05, %ah
        jne     1f
        int     $0x05
1:      cmp     $0x1b, %ah
        jne     1f
        int     $0x1b
1:      pop     %ax
        iret
keystroke:
        push    $0x09
        jmp     service

# IRQ 6: the floppy controller has completed its command.
irq6:
        push    %ds
        push    %ax
        mov     $0x40, %ax
        mov     %ax, %ds
        orb     $0x80, 0x3e
        mov     $EOI, %al
        out     %al, $PIC1
        pop     %ax
        pop     %ds
        iret

# IRQ 8: the clock's periodic interrupt counts down a wait, its alarm calls INT 4Ah.
irq8:
        push    %ax
        pushf
        push    %cs
        call    clock
        mov     %al, %ah
        mov     $EOI, %al
        out     %al, $PIC2
        out     %al, $PIC1
        cmp     $0x4a, %ah
        jne     1f
        int     $0x4a
1:      pop     %ax
        iret
clock:
        push    $0x70
        jmp     service

# IRQ 9 is an AT's IRQ 2: programs for the PC's handle INT 0Ah.
irq9:
        push    %ax
        mov     $EOI, %al
        out     %al, $PIC2
        pop     %ax
        int     $0x0a
        iret

# IRQ 12: a byte of the mouse. With a packet's last one the handler of INT 15h AX=C207h is called, with the packet on the stack.
irq12:
        pushal
        push    %ds
        push    %es
        pushf
        push    %cs
        call    mouse
        test    %ah, %ah
        jz      1f
        # SI status, BX x, CX y, ES:DI the handler.
        xor     %ah, %ah
        push    %si
        push    %bx
        push    %cx
        push    $0
        push    %cs
        push    $2f
        push    %es
        push    %di
        lret
2:      add     $8, %sp
1:      mov     $EOI, %al
        out     %al, $PIC2
        out     %al, $PIC1
        pop     %es
        pop     %ds
        popal
        iret
mouse:
        push    $0x74
        jmp     service

# IRQ 13: the x87 has an error. As on an AT it becomes an NMI.
irq13:
        push    %ax
        xor     %al, %al
        out     %al, $0xf0
        mov     $EOI, %al
        out     %al, $PIC2
        out     %al, $PIC1
        pop     %ax
        int     $0x02
        iret

# IRQ 14: the disk has completed its command.
irq14:
        push    %ds
        push    %ax
        mov     $0x40, %ax
        mov     %ax, %ds
        movb    $0xff, 0x8e
        mov     $EOI, %al
        out     %al, $PIC2
        out     %al, $PIC1
        pop     %ax
        pop     %ds
        iret

# Interrupts of devices without a driver.
irq_of_second:
        push    %ax
        mov     $EOI, %al
        out     %al, $PIC2
        out     %al, $PIC1
        pop     %ax
        iret
# Vectors 0Ah to 0Dh and 0Fh are exceptions of the processor, too: then the controller has nothing in service.
        .macro  irq_of_first vector
        push    %ax
        mov     $0x0b, %al
        out     %al, $PIC1
        in      $PIC1, %al
        test    $1 << (\vector - 8), %al
        jz      1f
        mov     $EOI, %al
        out     %al, $PIC1
        pop     %ax
        iret
1:      pop     %ax
        ljmp    $0xf000, $0xd000 + \vector
        .endm
irq2:   irq_of_first 0x0a
irq3:   irq_of_first 0x0b
irq4:   irq_of_first 0x0c
irq5:   irq_of_first 0x0d
irq7:
        push    %ax
        mov     $EOI, %al
        out     %al, $PIC1
        pop     %ax
        iret

# APM's entries for protected mode: a far call with the registers of INT 15h AX=53xx. A selector says nothing of where a stack lies, so the
# frame is in the data segment of the interface (40h), whose selector is at a fixed distance after the code's (APM 1.2, 4.6.3 and 4.6.4).
        .equ APM_SEGMENT, 0x40
        .equ APM_FRAME, 0xac            # within it, in the data area's unused part
        .equ FRAME_AX, 34
        .equ FRAME_FLAGS, 44
        .macro apm_entry name, distance
\name:
        push    %ds
        push    %eax
        mov     %cs, %ax
        add     $\distance, %ax
        mov     %ax, %ds
        pop     %eax
        pushf
        mov     %eax, APM_FRAME + FRAME_AX
        mov     %ecx, APM_FRAME + 30
        mov     %edx, APM_FRAME + 26
        mov     %ebx, APM_FRAME + 22
        mov     %ebp, APM_FRAME + 14
        mov     %esi, APM_FRAME + 10
        mov     %edi, APM_FRAME + 6
        movl    $0, APM_FRAME
        movw    $0, APM_FRAME + 4
        movw    $0x15, APM_FRAME + 38
        movl    $0, APM_FRAME + 40
        movw    $0, APM_FRAME + FRAME_FLAGS
1:      mov     $(APM_SEGMENT << 16 | APM_FRAME), %eax
        mov     $TRAP, %dx
        out     %eax, %dx
        cmpb    $DO_WAIT, APM_FRAME
        jne     2f
        sti
        hlt
        cli
        jmp     1b
2:      popf
        btw     $0, APM_FRAME + FRAME_FLAGS     # CF is that of the call
        mov     APM_FRAME + 10, %esi
        mov     APM_FRAME + 6, %edi
        mov     APM_FRAME + 22, %ebx
        mov     APM_FRAME + 26, %edx
        mov     APM_FRAME + 30, %ecx
        mov     APM_FRAME + FRAME_AX, %eax
        pop     %ds
        lret
        .endm
        apm_entry apm16, 8
        .code32
        apm_entry apm32, 16
        .code16

# Entries at their places on an AT.
        .org    0xe05b - 0xd000
        jmp     power_up
        .org    0xe2c3 - 0xd000         # NMI
        iret
        entry   0xe3fe, 0x13
        .org    0xe6f2 - 0xd000
        jmp     start_disk
        .org    0xe6f5 - 0xd000         # INT 15h AH=C0h: model FC (AT), submodel 0, revision 1; two controllers, a clock, INT 15h AH=4Fh, an extended data area
        .word   8
        .byte   0xfc, 0x00, 0x01, 0x74, 0x40, 0x00, 0x00, 0x00
        .org    0xe700 - 0xd000
        jmp     start_nothing
        entry   0xe739, 0x14
        entry   0xe82e, 0x16
        .org    0xe987 - 0xd000
        jmp     irq1
        entry   0xec59, 0x40
        .org    0xef57 - 0xd000
        jmp     irq6
        .org    0xefc7 - 0xd000         # INT 1Eh: a 1.44 MB floppy's parameters
        .byte   0xaf, 0x02, 0x25, 0x02, 18, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08
        entry   0xefd2, 0x17
        entry   0xf065, 0x10
        .org    0xf0a4 - 0xd000         # INT 1Dh: the 6845's registers for modes 0 and 1, 2 and 3, 4 to 6, 7; bytes of a page, columns
        .byte   0x38, 0x28, 0x2d, 0x0a, 0x1f, 6, 0x19, 0x1c, 2, 7, 6, 7, 0, 0, 0, 0
        .byte   0x71, 0x50, 0x5a, 0x0a, 0x1f, 6, 0x19, 0x1c, 2, 7, 6, 7, 0, 0, 0, 0
        .byte   0x38, 0x28, 0x2d, 0x0a, 0x7f, 6, 0x64, 0x70, 2, 1, 6, 7, 0, 0, 0, 0
        .byte   0x61, 0x50, 0x52, 0x0f, 0x19, 6, 0x19, 0x19, 2, 0x0d, 0x0b, 0x0c, 0, 0, 0, 0
        .word   0x0800, 0x1000, 0x4000, 0x4000
        .byte   40, 40, 80, 80, 40, 40, 80, 80, 0x2c, 0x28, 0x2d, 0x29, 0x2a, 0x2e, 0x1e, 0x29
        entry   0xf841, 0x12
        entry   0xf84d, 0x11
        entry   0xf859, 0x15
        entry   0xfe6e, 0x1a
        .org    0xfea5 - 0xd000
        jmp     irq0
        .org    0xff53 - 0xd000
        iret
        entry   0xff54, 0x05
        .org    0xfff0 - 0xd000
        ljmp    $0xf000, $0xe05b
        .org    0xfff5 - 0xd000
        .ascii  "11/30/26"
        .byte   0
        .byte   0xfc                    # model: AT
        .byte   0

# Entries that have no fixed place on an AT; rom.ts uses these names.
        .globl  irq2, irq3, irq4, irq5, irq7, irq8, irq9, irq12, irq13, irq14, irq_of_second, start_nothing, unserved, apm16, apm32
