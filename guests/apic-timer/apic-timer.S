// A thousand ticks of the local APIC's timer, ten thousand a second. None may be lost: the time stamp counter shows that where it
// counts instructions.

#include "apic.h"
#include "interrupts.h"
#include "ports.h"

#define CODE_SELECTOR 0x08
#define VECTOR_TIMER 0x40
#define VECTOR_SPURIOUS 0xff
#define TICKS 1000
#define TICK_HZ 10000

.code32
.globl _start
_start:
        mov     $1, %eax                        // CPUID leaf 1, EDX bit 9: is there an APIC?
        cpuid
        bt      $9, %edx
        jnc     none
        xor     %ecx, %ecx                      // the other results of CPUID are not needed
        xor     %edx, %edx

        mov     $tick, %eax                     // a gate's handler address is in two halves
        mov     %ax, idt + VECTOR_TIMER * 8
        shr     $16, %eax
        mov     %ax, idt + VECTOR_TIMER * 8 + 6
        lidt    idtr

        outp    PORT_PIC_DATA, 0xff             // the 8259A pair must not interrupt
        outp    PORT_PIC2_DATA, 0xff
        apic_set APIC_SPURIOUS, APIC_ENABLED | VECTOR_SPURIOUS
        apic_set APIC_DIVIDE, APIC_DIVIDE_BY_1
        apic_set APIC_LVT_TIMER, APIC_PERIODIC | VECTOR_TIMER
        apic_set APIC_INITIAL_COUNT, APIC_HZ / TICK_HZ

        xor     %ebx, %ebx                      // EBX counts the ticks
        sti
sleep:  hlt                                     // until an interrupt comes
        cmp     $TICKS, %ebx
        jb      sleep
        cli
        mov     $done, %esi
        jmp     print

none:   mov     $missing, %esi
print:  lodsb
        test    %al, %al
        jz      end
        out     %al, $PORT_DEBUG_CONSOLE
        jmp     print
end:    hlt

tick:   inc     %ebx
        cmp     $TICKS, %ebx
        jb      served
        apic_set APIC_INITIAL_COUNT, 0          // that was the last one: a count of 0 stops the timer
served: apic_set APIC_EOI, 0                    // without this no further interrupt of its class would come
        iret

done:    .asciz "1000 ticks of the APIC's timer\n"
missing: .asciz "there is no APIC: try --machine pc\n"

.balign 8
idt:    .fill   VECTOR_TIMER, 8, 0              // a fault here is a triple fault
        .word   0, CODE_SELECTOR, 0x8e00, 0     // present, ring 0, a 32-bit interrupt gate
idtr:   .word   idtr - idt - 1
        .long   idt
