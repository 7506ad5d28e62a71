// Never ends and never leaves the guest: only a kick gets its processor back.
.code16
spin:   jmp     spin
