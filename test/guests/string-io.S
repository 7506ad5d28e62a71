// String I/O on port 0x500 with every size, forwards and backwards, no element at all, and more than a page. A device
// that takes an exit for one access gets all of this wrong. In order, the port sees:
//
//   writes: 'a' 'b' 'c' 'd' 'e' (1 byte each); 0x6261 0x6463 (2 bytes each); 0x64636261 (4 bytes);
//           'e' 'd' 'c' (1 byte each, DF set); 5000 times 0x55 (1 byte each)
//   reads:  6 of 1 byte into 0x2000, 3 of 2 bytes into 0x2010, 2 of 4 bytes into 0x2020
//
// At the end SI, DI and CX are what the SDM says: CX = 0, SI = 0x3000 + 5000, DI = 0x2028; AX = 0xD0E.
.code16
        mov     $0x500, %dx
        cld

        mov     $letters, %si
        mov     $5, %cx
        rep outsb

        mov     $letters, %si
        mov     $2, %cx
        rep outsw

        mov     $letters, %si
        mov     $1, %cx
        rep outsl

        xor     %cx, %cx                // nothing must happen
        rep outsb
        rep insb

        std
        mov     $letters + 4, %si
        mov     $3, %cx
        rep outsb
        cld

        mov     $0x3000, %di
        mov     $5000, %cx
        mov     $0x55, %al
        rep stosb
        mov     $0x3000, %si
        mov     $5000, %cx
        rep outsb

        mov     $0x2000, %di
        mov     $6, %cx
        rep insb
        mov     $0x2010, %di
        mov     $3, %cx
        rep insw
        mov     $0x2020, %di
        mov     $2, %cx
        rep insl

        mov     $0xd0e, %ax
        hlt

letters:
        .ascii  "abcde"
