// Keys: the handler writes them into a ring, from which the kernel reads. Scan codes of set 1, as the controller sends them.
#include "machine.h"

enum { DATA = 0x60, RELEASED = 0x80, LEFT_SHIFT = 0x2a, RIGHT_SHIFT = 0x36 };

static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static volatile char ring[32];
static volatile unsigned written, taken;
static bool shift;

static void key(void)
{
    uint8_t code = inb(DATA), key = code & ~RELEASED;
    if (key == LEFT_SHIFT || key == RIGHT_SHIFT)
    {
        shift = !(code & RELEASED);
        return;
    }
    if ((code & RELEASED) || key >= sizeof(plain) - 1)
        return;
    char character = shift ? shifted[key] : plain[key];
    if (character != '\0')
        ring[written++ % sizeof(ring)] = character; // the oldest are lost if nobody reads them
}

bool keyboard_take(char *character)
{
    if (taken == written)
        return false;
    *character = ring[taken++ % sizeof(ring)];
    return true;
}

void keyboard_start(void)
{
    handle(1, key);
}
