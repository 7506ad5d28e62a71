// The clock with the battery, in real mode: a consistent time, interrupts by the second controller, an alarm.

#include "interrupts.h"
#include "ports.h"
#include "rtc.h"

.code16
.globl _start
_start:
        jmp     begin
        // This image lies at address 0, where the vector table is: what stood at vector 0x28's four bytes would be overwritten.
        .org    (VECTOR_PIC2 + 8) * 4
begin:  cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $clock, (VECTOR_PIC + IRQ_RTC) * 4
        movw    %cs, (VECTOR_PIC + IRQ_RTC) * 4 + 2
        // Line 8 is the second controller's first; what it says comes through line 2 of the first one.
        pic_init 1 << IRQ_CASCADE
        outp    PORT_PIC2_DATA, (0xff & ~(1 << (IRQ_RTC - 8)))

        call    read_time
        mov     %eax, began
        rtc_write RTC_B, RTC_B_24_HOURS | RTC_B_UPDATE_ENDED
        call    listen
        call    read_time                       // the clock has just changed: a second is all that can have passed
        cmp     %eax, began
        je      wrong
        mov     $text_seconds, %si
        call    print

        // Two interrupts a second: the rate is 2 to the power of 16 - n, and 15 is the slowest.
        rtc_write RTC_A, RTC_A_CRYSTAL | 15
        rtc_write RTC_B, RTC_B_24_HOURS | RTC_B_PERIODIC
        mov     $4, %cx
ticks:  call    listen
        test    $RTC_C_PERIODIC, %bl
        jz      wrong
        mov     $text_tick, %si
        call    print
        loop    ticks
        mov     $text_line, %si
        call    print

        // An alarm is a pattern that the time has to match. A pattern that matches every time rings every second.
        rtc_write RTC_SECONDS_ALARM, RTC_ANY
        rtc_write RTC_MINUTES_ALARM, RTC_ANY
        rtc_write RTC_HOURS_ALARM, RTC_ANY
        rtc_write RTC_B, RTC_B_24_HOURS | RTC_B_ALARM
        call    listen
        test    $RTC_C_ALARM, %bl
        jz      wrong
        mov     $text_alarm, %si
        call    print
        xor     %eax, %eax                      // the date, and a flag of the periodic pulse: different each time
        xor     %ebx, %ebx
        xor     %edx, %edx
        cli
        hlt

wrong:  mov     $text_wrong, %si
        call    print
        cli
        hlt

// Sleeps until the clock has interrupted: BL is why. One that came early and counted for nothing is slept over.
listen: xor     %bl, %bl
1:      sti                                     // takes effect after the HLT, so nothing can come between the two
        hlt
        cli
        test    %bl, %bl
        jz      1b
        ret

// Register C has the reason, and no further interrupt comes until it is read: without the read, this is the last one.
clock:  push    %ax
        outp    PORT_RTC_INDEX, RTC_C
        in      $PORT_RTC_DATA, %al
        mov     %al, %bl
        outp    PORT_PIC2, PIC_EOI              // both controllers hold it as in service
        outp    PORT_PIC, PIC_EOI
        pop     %ax
        iret

// EAX: hours, minutes and seconds in BCD, a byte each from bit 16 down. The clock counts on while it is read: 10:59:59 may be
// read as 10:00:00, or as 11:59:59. So it is read until two reads are equal.
read_time:
        call    read_once
        mov     %eax, %edx
        call    read_once
        cmp     %eax, %edx
        jne     read_time
        ret
read_once:
        xor     %eax, %eax
        rtc_read RTC_HOURS
        shl     $8, %eax
        rtc_read RTC_MINUTES
        shl     $8, %eax
        rtc_read RTC_SECONDS
        ret

print:  lodsb
        test    %al, %al
        jz      1f
        out     %al, $PORT_DEBUG_CONSOLE
        jmp     print
1:      ret

began:  .long   0
text_seconds: .asciz "seconds pass\n"
text_tick: .asciz "tick "
text_line: .asciz "\n"
text_alarm: .asciz "alarm\n"
text_wrong: .asciz "something is wrong with this clock\n"
