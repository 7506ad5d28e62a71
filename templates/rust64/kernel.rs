// {{name}}: a {{bits}}-bit kernel in Rust. There is no operating system below: no std, no main. The processor's first instruction
// is that of _start; the stack is set up.
#![no_std]
#![no_main]

use core::arch::asm;
use core::panic::PanicInfo;

/// A byte out is a character on the console.
const PORT_CONSOLE: u16 = 0xe9;

fn out(port: u16, value: u8) {
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack)) }
}

fn print(text: &str) {
    for byte in text.bytes() {
        out(PORT_CONSOLE, byte); // leaves the guest: one VM exit, one letter
    }
}

/// No interrupt can wake the CPU: that ends the guest.
fn halt() -> ! {
    loop {
        unsafe { asm!("cli", "hlt") }
    }
}

#[no_mangle]
pub extern "C" fn _start() -> ! {
    print("Hello from {{name}}!\n");
    halt()
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    print("panic\n");
    halt()
}
