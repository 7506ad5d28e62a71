// Text: on the console (port E9), and on a VGA's screen where there is one.
#include "machine.h"

#define PORT_CONSOLE 0xe9
#define SCREEN ((volatile uint16_t *)0xb8000)
enum { COLUMNS = 80, ROWS = 25, COLOURS = 0x0700 };

static unsigned row, column;

static void scroll(void)
{
    for (int i = 0; i < COLUMNS * (ROWS - 1); i++)
        SCREEN[i] = SCREEN[i + COLUMNS];
    for (int i = COLUMNS * (ROWS - 1); i < COLUMNS * ROWS; i++)
        SCREEN[i] = COLOURS | ' ';
    row = ROWS - 1;
}

static void put(char character)
{
    outb(PORT_CONSOLE, character);
    if (character != '\n')
        SCREEN[row * COLUMNS + column++] = COLOURS | (uint8_t)character;
    if (character == '\n' || column == COLUMNS)
    {
        column = 0;
        row++;
    }
    if (row == ROWS)
        scroll();
}

static void put_number(uint64_t number, unsigned base, int width, char fill)
{
    char digits[20];
    int length = 0;
    do
        digits[length++] = "0123456789abcdef"[number % base];
    while ((number /= base) != 0);
    while (width-- > length)
        put(fill);
    while (length > 0)
        put(digits[--length]);
}

// %d %u %x %p %s %c %%, with a width and l: %016lx.
void printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    for (; *format != '\0'; format++)
    {
        if (*format != '%')
        {
            put(*format);
            continue;
        }
        char fill = *++format == '0' ? '0' : ' ';
        int width = 0;
        for (; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + *format - '0';
        bool wide = false;
        for (; *format == 'l'; format++)
            wide = true;
        switch (*format)
        {
        case 'd':
        {
            int64_t number = wide ? va_arg(arguments, int64_t) : va_arg(arguments, int);
            if (number < 0)
                put('-');
            put_number(number < 0 ? -(uint64_t)number : (uint64_t)number, 10, width, fill);
            break;
        }
        case 'u':
            put_number(wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned), 10, width, fill);
            break;
        case 'x':
            put_number(wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned), 16, width, fill);
            break;
        case 'p':
            put_number((uint64_t)va_arg(arguments, void *), 16, 16, '0');
            break;
        case 's':
            for (const char *text = va_arg(arguments, const char *); *text != '\0'; text++)
                put(*text);
            break;
        case 'c':
            put((char)va_arg(arguments, int));
            break;
        case '\0':
            va_end(arguments);
            return;
        default:
            put(*format);
        }
    }
    va_end(arguments);
}
