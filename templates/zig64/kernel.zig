// {{name}}: a {{bits}}-bit kernel in Zig. There is no operating system below. The processor's first instruction is that of _start;
// the stack is set up.

/// A byte out is a character on the console.
const port_console = 0xe9;

fn out(comptime port: u8, value: u8) void {
    asm volatile ("outb %[value], %[port]"
        :
        : [value] "{al}" (value),
          [port] "N" (port),
    );
}

fn print(text: []const u8) void {
    for (text) |byte| out(port_console, byte); // leaves the guest: one VM exit, one letter
}

export fn _start() noreturn {
    print("Hello from {{name}}!\n");
    while (true) asm volatile ("cli; hlt"); // no interrupt can wake the CPU: that ends the guest
}
