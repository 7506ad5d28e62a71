// Never ends and never exits: only a kick gets its processor back.
.code16
spin:   jmp     spin
