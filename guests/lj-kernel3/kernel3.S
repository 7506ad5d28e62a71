// Says "Hello, World!" with a single instruction: REP OUTSB sends CX bytes from memory to the port in DX, and the
// monitor gets them all in one VM exit.

#include "runtime.h"

.code16

start:
        mov     $IO_PORT_PSEUDO_SERIAL, %dx
        mov     $greeting, %si
        mov     $(greeting_end - greeting), %cx

        // OUTSB reads from DS:SI. After a reset DS is 0, but the text is in CS, beside the code: so an override is needed.
        rep outsb %cs:(%si), %dx

        hlt

.balign 16
greeting:
        .ascii  "Hello, World!\n"
greeting_end:

.org 0xfff0                             // the reset vector
        ljmp    $0xf000, $start
