// Takes in all that a guest can take in, by interrupts and by polling: keys, serial bytes, the time of day, random numbers and
// a timer. It writes down each with what it interrupted, in a ring from LOG on, and ends after so many ticks of its timer.
#include "hypercall.h"
#include "interrupts.h"
#include "keyboard.h"
#include "ports.h"
#include "rtc.h"
.code16
.equ LOG, 0x8000                                // up to the end of the segment
.equ TICKS, 400
.equ BLOCK, 0x7800                              // a hypercall's request
.equ RANDOM, 0x7900                             // ... and its buffer
.equ PORT_SERIAL_IER, PORT_SERIAL + 1
.equ PORT_SERIAL_IIR, PORT_SERIAL + 2
.equ PORT_SERIAL_MCR, PORT_SERIAL + 4

// Appends a kind, the byte in AL and the two words that an interrupt's frame begins with.
.macro note kind
        mov     $\kind, %ah
        call    append
.endm

        jmp     begin
.org    0x400                                   // behind the vectors
begin:  xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $tick, VECTOR_PIC * 4
        movw    %cs, VECTOR_PIC * 4 + 2
        movw    $key, (VECTOR_PIC + IRQ_KEYBOARD) * 4
        movw    %cs, (VECTOR_PIC + IRQ_KEYBOARD) * 4 + 2
        movw    $byte, (VECTOR_PIC + IRQ_SERIAL) * 4
        movw    %cs, (VECTOR_PIC + IRQ_SERIAL) * 4 + 2
        movw    $clock, VECTOR_PIC2 * 4
        movw    %cs, VECTOR_PIC2 * 4 + 2
        movw    $LOG, next
        movw    $TICKS, left
        pic_init 1 << IRQ_TIMER | 1 << IRQ_KEYBOARD | 1 << IRQ_SERIAL | 1 << IRQ_CASCADE
        outp    PORT_PIC2_DATA, 0xfe            // the clock's line
        pit_init 4000
        mov     $PORT_SERIAL_MCR, %dx
        mov     $0x0b, %al                      // DTR, RTS and OUT2, the interrupt's gate
        out     %al, %dx
        mov     $PORT_SERIAL_IER, %dx
        mov     $1, %al                         // received data available
        out     %al, %dx
        rtc_read RTC_C
        rtc_write RTC_A, (RTC_A_CRYSTAL | 9)    // 128 a second
        rtc_write RTC_B, (RTC_B_PERIODIC | RTC_B_24_HOURS)
        mov     $0xACE1, %bx                    // a linear feedback shift register chooses the path
        sti

again:  shr     $1, %bx
        jnc     1f
        xor     $0xB400, %bx
1:      mov     %bl, %cl
        and     $0x3f, %cl
        inc     %cl
        movzx   %cl, %cx
busy:   imul    $77, %si
        add     %cx, %si
        loop    busy
        test    $0x18, %bh
        jnz     1f
        hlt                                     // until something interrupts
1:      test    $0x07, %bh
        jnz     1f
        call    polled
1:      test    $0x3f, %bh
        jnz     again
        call    random
        call    today
        jmp     again

// From here on the serial port does not interrupt, and is polled.
polled: cli
        mov     $PORT_SERIAL_IER, %dx
        xor     %al, %al
        out     %al, %dx
        mov     $50, %cx
1:      mov     $PORT_SERIAL_STATUS, %dx
        in      %dx, %al
        test    $SERIAL_DATA_READY, %al
        jz      2f
        mov     $PORT_SERIAL, %dx
        in      %dx, %al
        note    'p'
2:      loop    1b
        mov     $PORT_SERIAL_IER, %dx
        mov     $1, %al
        out     %al, %dx
        sti
        ret

random: mov     $BLOCK, %di
        mov     $24, %cx
        xor     %ax, %ax
        rep stosw
        movw    $HYPERCALL_RANDOM, BLOCK
        movw    $RANDOM, BLOCK + 16             // where to
        movw    $1, BLOCK + 24                  // ... and how many
        mov     $BLOCK, %eax
        mov     $PORT_HYPERCALL, %dx
        out     %eax, %dx
        mov     RANDOM, %al
        note    'r'
        ret

today:  cli
        rtc_read RTC_SECONDS
        note    's'
        rtc_read RTC_DAY
        note    'd'
        sti
        ret

// AX, and where the interrupt came: BP points at its frame, or at anything else that repeats.
append: push    %di
        mov     next, %di
        stosw
        mov     %sp, %bp
        mov     6(%bp), %ax
        stosw
        or      $LOG, %di                       // round again
        mov     %di, next
        pop     %di
        ret

tick:   pusha
        xor     %al, %al
        note    't'
        outp    PORT_PIC, PIC_EOI
        decw    left
        jz      end
        popa
        iret

key:    pusha
        in      $PORT_KEYBOARD_DATA, %al
        note    'k'
        outp    PORT_PIC, PIC_EOI
        popa
        iret

byte:   pusha
        mov     $PORT_SERIAL_IIR, %dx
        in      %dx, %al
        note    'i'
1:      mov     $PORT_SERIAL_STATUS, %dx
        in      %dx, %al
        test    $SERIAL_DATA_READY, %al
        jz      2f
        mov     $PORT_SERIAL, %dx
        in      %dx, %al
        note    'b'
        jmp     1b
2:      outp    PORT_PIC, PIC_EOI
        popa
        iret

clock:  pusha
        rtc_read RTC_C
        note    'c'
        outp    PORT_PIC2, PIC_EOI
        outp    PORT_PIC, PIC_EOI
        popa
        iret

end:    cli
        hlt

next:   .word   0
left:   .word   0
