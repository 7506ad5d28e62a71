// Says "Hello" letter by letter over a port, then halts: one VM exit per letter.

#include "runtime.h"

.code16

start:
        .irp    letter, 'H', 'e', 'l', 'l', 'o', '\n'
        mov     $\letter, %al
        out     %al, $IO_PORT_PSEUDO_SERIAL
        .endr

        hlt

.org 0xfff0                             // the reset vector
        ljmp    $0xf000, $start
