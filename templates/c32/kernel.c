// {{name}}: a {{bits}}-bit kernel in C. There is no C library: no printf, no malloc, no main. The processor's
// first instruction is that of _start; the stack is set up.

#define PORT_CONSOLE 0xe9 // a byte out is a character on the console

static inline void out(unsigned short port, unsigned char value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void print(const char *text)
{
    while (*text != '\0')
        out(PORT_CONSOLE, *text++); // leaves the guest: one VM exit, one letter
}

void _start(void)
{
    print("Hello from {{name}}!\n");
    for (;;)
        __asm__ volatile("cli; hlt"); // no interrupt can wake the CPU: that ends the guest
}
