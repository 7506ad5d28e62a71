// {{name}}: a {{bits}}-bit kernel in C++. There is no library: no exceptions, no type information, no new. The processor's first
// instruction is that of _start; the stack is set up, and we must call the constructors of globals.

class Console {
public:
    void print(const char *text)
    {
        while (*text != '\0')
            out(*text++); // leaves the guest: one VM exit, one letter
    }

private:
    static constexpr unsigned short port = 0xe9; // a byte out is a character on the console

    static void out(unsigned char value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
};

Console console;

// Where the linker puts the constructors of globals.
extern "C" void (*__init_array_start[])();
extern "C" void (*__init_array_end[])();

extern "C" void _start()
{
    for (auto construct = __init_array_start; construct != __init_array_end; construct++)
        (*construct)();
    console.print("Hello from {{name}}!\n");
    for (;;)
        asm volatile("cli; hlt"); // no interrupt can wake the CPU: that ends the guest
}
