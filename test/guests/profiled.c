/* For profiles: what each function takes is known by stepping through it. */
#define KEPT __attribute__((noinline, noclone))

static volatile unsigned sink;

KEPT static unsigned leaf(unsigned times) {
  unsigned value = times;
  for (unsigned i = 0; i < times; i++) value = value * 33 + i;
  return value;
}

KEPT static unsigned fibonacci(unsigned n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

KEPT static unsigned caller(unsigned times) {
  unsigned value = 0;
  for (unsigned i = 0; i < times; i++) value += leaf(i % 50);
  return value;
}

void _start(void) {
  for (unsigned i = 0; i < 20; i++) sink = caller(200) + fibonacci(12);
  __asm__ volatile("cli; hlt");
}
