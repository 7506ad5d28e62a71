// {{name}}: a 16-bit kernel for the launcher in launch.mjs. It asks a device that you have written for a number, and tells
// another one what it made of it.

.code16
.globl _start
_start:
        in      $0x10, %al              // launch.mjs answers: see in8
        add     %al, %al
        out     %al, $0x11              // launch.mjs receives it: see out8
        hlt
