// Snake: a game on a PC without an operating system. A timer moves it, a keyboard steers it, a VGA shows it.
//
// w, a, s, d or the arrow keys steer, Escape ends. What it eats makes it longer; walls and itself are its end.
#include "descriptors.h"
#include "interrupts.h"
#include "io.h"
#include "keyboard.h"
#include "print.h"
#include "vga.h"

enum { WIDTH = 80, HEIGHT = 25, LONGEST = WIDTH * HEIGHT };
enum { EMPTY = 0x0720, WALL = 0x17b1, BODY = 0x2a20, HEAD = 0x2f02, FOOD = 0x0c04 };
enum { MOVES_A_SECOND = 12 };

#define SCREEN ((volatile uint16_t *)VGA_TEXT_MEMORY)

// ---------------------------------------------------------------------------------------------- the machine

#define KERNEL_CODE 0x08

static uint64_t idt[VECTOR_PIC + 8];
static volatile unsigned ticks;
// Keys that went down: the handler writes, the game reads. Older ones are lost if there are too many.
static volatile uint8_t pressed[16];
static volatile unsigned written, taken;

__attribute__((used)) static void on_timer(void)
{
    ticks++;
    outb(PORT_PIC, PIC_EOI);
}

__attribute__((used)) static void on_keyboard(void)
{
    uint8_t code = inb(PORT_KEYBOARD_DATA);
    if (!(code & SCAN_UP)) pressed[written++ % sizeof(pressed)] = code;
    outb(PORT_PIC, PIC_EOI);
}

void timer_entry(void), keyboard_entry(void);
__asm__("timer_entry: pusha; cld; call on_timer; popa; iret\n"
        "keyboard_entry: pusha; cld; call on_keyboard; popa; iret");

static void set_up(void)
{
    idt[VECTOR_PIC + IRQ_TIMER] = gate(timer_entry, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    idt[VECTOR_PIC + IRQ_KEYBOARD] = gate(keyboard_entry, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    load_idt(idt, sizeof(idt));

    // Both controllers: edges, their first vectors, the cascade, the 8086's end of interrupt.
    outb(PORT_PIC, PIC_ICW1);
    outb(PORT_PIC_DATA, VECTOR_PIC);
    outb(PORT_PIC_DATA, PIC_ICW3);
    outb(PORT_PIC_DATA, PIC_ICW4);
    outb(PORT_PIC_DATA, (uint8_t)~(1 << IRQ_TIMER | 1 << IRQ_KEYBOARD));

    outb(PORT_PIT_CONTROL, PIT_RATE);
    outb(PORT_PIT_COUNTER0, (uint8_t)(PIT_HZ / 100));
    outb(PORT_PIT_COUNTER0, PIT_HZ / 100 >> 8);
    __asm__ volatile("sti");
}

// Sleeps for that many ticks of the timer.
static void wait(unsigned hundredths)
{
    unsigned until = ticks + hundredths;
    while ((int)(until - ticks) > 0) __asm__ volatile("hlt");
}

// ---------------------------------------------------------------------------------------------- the game

static unsigned body[LONGEST]; // places on the screen, a ring: from `tail` to `head`
static unsigned head, tail, length;
static uint32_t chance = 2026;

static unsigned random(unsigned limit)
{
    chance = chance * 1664525 + 1013904223;
    return (chance >> 8) % limit;
}

static void put_food(void)
{
    unsigned place;
    do place = random(WIDTH * HEIGHT);
    while (SCREEN[place] != EMPTY);
    SCREEN[place] = FOOD;
}

static void draw_field(void)
{
    for (unsigned place = 0; place < WIDTH * HEIGHT; place++) {
        unsigned x = place % WIDTH, y = place / WIDTH;
        SCREEN[place] = x == 0 || x == WIDTH - 1 || y == 0 || y == HEIGHT - 1 ? WALL : EMPTY;
    }
    const char *title = " snake: w a s d ";
    for (unsigned i = 0; title[i] != '\0'; i++) SCREEN[4 + i] = 0x1f00 | (uint8_t)title[i];
    // A cursor below the last line is not visible.
    outb(VGA_CRTC, CRTC_CURSOR_HIGH), outb(VGA_CRTC + 1, WIDTH * HEIGHT >> 8);
    outb(VGA_CRTC, CRTC_CURSOR_LOW), outb(VGA_CRTC + 1, (uint8_t)(WIDTH * HEIGHT));
}

// The step that a key asks for; 0 for a key that does not steer.
static int step_of(uint8_t code)
{
    switch (code) {
    case 0x11: case SCAN_ARROW_UP: return -WIDTH;
    case 0x1e: case SCAN_ARROW_LEFT: return -1;
    case 0x1f: case SCAN_ARROW_DOWN: return WIDTH;
    case 0x20: case SCAN_ARROW_RIGHT: return 1;
    default: return 0;
    }
}

// Moves by one; false where that is the end.
static int move(int step)
{
    unsigned next = body[head] + step;
    uint16_t there = SCREEN[next];
    if (there != EMPTY && there != FOOD) return 0;
    SCREEN[body[head]] = BODY;
    head = (head + 1) % LONGEST;
    body[head] = next;
    SCREEN[next] = HEAD;
    if (there == FOOD) {
        length++;
        put_food();
        return 1;
    }
    SCREEN[body[tail]] = EMPTY;
    tail = (tail + 1) % LONGEST;
    return 1;
}

void _start(void)
{
    set_up();
    draw_field();
    for (unsigned i = 0; i < 4; i++) {
        body[i] = 12 * WIDTH + 20 + i;
        SCREEN[body[i]] = i < 3 ? BODY : HEAD;
    }
    head = 3;
    length = 4;
    SCREEN[12 * WIDTH + 40] = FOOD; // the first one is ahead

    int step = 1;
    for (int alive = 1; alive;) {
        wait(100 / MOVES_A_SECOND);
        if (taken != written) {
            uint8_t code = pressed[taken++ % sizeof(pressed)];
            if (code == SCAN_ESCAPE) break;
            int wanted = step_of(code);
            if (wanted != 0 && wanted != -step) step = wanted; // it cannot turn back into itself
        }
        alive = move(step);
    }
    print_value("snake: the length at the end is ", length);
    __asm__ volatile("cli");
    halt(length);
}
