// Sends back what comes in on the serial port, by polling its line status, until a 'q': that one ends the machine with
// exit code 7.
#include "ports.h"
.code16
wait:   mov     $PORT_SERIAL_STATUS, %dx
        in      %dx, %al
        test    $SERIAL_DATA_READY, %al
        jz      wait

        mov     $PORT_SERIAL, %dx
        in      %dx, %al
        mov     %al, %bl
        cmp     $'q', %al
        je      quit

full:   mov     $PORT_SERIAL_STATUS, %dx
        in      %dx, %al
        test    $SERIAL_CAN_SEND, %al
        jz      full
        mov     $PORT_SERIAL, %dx
        mov     %bl, %al
        out     %al, %dx
        jmp     wait

quit:   mov     $7, %al
        out     %al, $PORT_DEBUG_EXIT
        hlt
