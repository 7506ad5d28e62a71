// refused: exits>=200
#include "io.h"
#include "simvirtio.h"
#define ROUNDS 100
void _start(void)
{
    simqueue_t console, unused;
    if (device_setup(DEVICE(CONSOLE_DEVICE), &console, &unused) != 0) halt(1);
    for (const char *text = "through a queue, there and back\n"; *text != '\0'; text++) queue_send(&console, *text);
    queue_flush(&console);
    halt(ROUNDS * 64);
}
