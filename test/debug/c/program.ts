/** A program in C with one of each kind of variable. */

export const program = `#include <stdint.h>
typedef unsigned char byte;
enum color { RED, GREEN = 5, BLUE };
enum flag { READ = 1, WRITE = 2, EXECUTE = 4 };
struct node { int value; struct node *next; const char *name; };
typedef struct node node_t;
struct bits { unsigned a : 3; int b : 5; unsigned long long c : 33; _Bool d : 1; };
union both { int i; float f; unsigned char bytes[4]; };
struct outer {
  struct { int x, y; };
  union both inner;
  struct node *list[2];
  enum color paint;
};
struct hidden;

struct node third = { 3, 0, "three" };
struct node second = { -2, &third, "two \\"x\\"\\n" };
struct node first = { 1, &second, 0 };
char text[16] = "hello";
char zeros[32];
char exact[4] = { 'a', 'b', 'c', 'd' };
int grid[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
int many[20];
double ratio = 0.1;
float half = 1.5f;
static volatile int total;
volatile short small = -7;
struct hidden *secret = (struct hidden *) 0x1234;
int (*pointer)(int, int);
enum flag rights = READ | EXECUTE;
enum flag odd = (enum flag) 9;
const char *const message = "constant";
uint64_t large = 0xfedcba9876543210ull;
signed char negative = -1;
struct outer whole = { { 1, 2 }, { 0x3f800000 }, { &first, 0 }, BLUE };
struct bits field = { 5, -3, 0x1ffffffffull, 1 };

__attribute__((noinline)) int add(int a, int b)
{
  int sum = a + b;
  total = sum;
  return sum;
}

static inline __attribute__((always_inline)) int twice(int of)
{
  int doubled = of * 2;
  total = doubled;
  return add(doubled, 1);
}

__attribute__((noinline)) int work(node_t *list, int count, byte letter, const char *title, double scale)
{
  struct outer local = { { count, 7 }, { count }, { list, list->next }, GREEN };
  int squares[4] = { 0, 1, 4, 9 };
  int *at = &squares[2];
  enum color paint = BLUE;
  _Bool yes = count > 2;
  for (int i = 0; i < count; i++) {
    int count = i * 10;
    squares[i & 3] += twice(count) + *at + letter + (int)scale;
  }
  total = local.x + squares[0] + paint + yes + title[0];
  return squares[1] + local.y;
}

void _start(void)
{
#ifdef __x86_64__
  // SSE, which floating-point numbers use: CR4.OSFXSR and OSXMMEXCPT.
  __asm__ volatile("mov %%cr4, %%rax; or $0x600, %%rax; mov %%rax, %%cr4" ::: "rax");
#endif
  pointer = add;
  work(&first, 3, 'A', "title", 2.5);
  for (;;)
    __asm__ volatile("hlt");
}
`;

/** Expressions that gdb and the monitor are asked. */
export const expressions = String.raw`
first; first.next->name; *first.next; first.next->next->next; &first; &first.next; first.next; text; zeros; exact; &text; text[1]
*text; grid; grid[1]; grid[1][2]; &grid[1]; many; ratio; half; ratio * 2; half + 1; total; small; secret; pointer; *pointer; rights
odd; message; *message; large; negative; whole; whole.x; whole.inner.bytes; whole.list; *whole.list[0]; whole.paint; field; field.b
(int) half; (struct node *) 0x1000; ((struct node *) &first)->value; (node_t *) &first; *(int *) &first; sizeof(struct node)
sizeof first; sizeof(int); first.value + 2; first.value - 2; small * 3; -small; ~first.value; !first.value; first.value == 1
first.value < 0; small < 0u; large >> 60; large & 0xff; first.value + 2 * 3; (int) 7 / 2; (long) -7 % 3; &grid[1] - &grid[0]
&first + 1; first.value ? 10 : 20; first.value && 0; (char) 65; (unsigned char) 300; (enum color) 5; (enum color) 1; (char *) text
(void *) text; (long) small; (unsigned short) small; (char) 'a'; (char) '\n'; (int) 010; (unsigned) 5u; 1.5; 1.5 * 2; (float) 1 / 3
(double) 1 / 3; 1e10; 1.0e-7; whole.inner; &whole.inner.f; first.next->name[1]; (int *) 0; *grid[1]; (int (*)[3]) grid; *secret
`
  .split(/[;\n]/)
  .map((one) => one.trim())
  .filter((one) => one !== '');

/** Types that gdb and the monitor are asked. */
export const types = [
  ...[
    'struct node',
    'node_t',
    'first',
    'first.next',
    'enum color',
    'enum flag',
    'union both',
    'struct outer',
  ],
  ...['struct bits', 'pointer', 'grid', 'text', 'message', 'add', 'work', 'byte', 'secret', 'whole.list'],
  ...['unsigned long', 'struct node *', 'odd', '&first', '*first.next', 'half', 'total'],
];

/** Expressions without a value, and the monitor's message. */
export const refused: readonly (readonly [expression: string, message: RegExp])[] = [
  ['missing', /'missing' is neither a register nor a symbol/],
  ['first.nothing', /no member named nothing in struct node \(it has value, next, name\)/],
  ['first.value / 0', /Division by zero/],
  ['first.value.x', /int has no members/],
  ['*(struct node *) 16777216000', /Cannot access memory/],
  ['&first.value = 5', /not allowed here/],
  ['first + 1', /struct node is no number/],
  ['first.value[2]', /pointer/],
];
