// Three tasks on one processor, in 64-bit C: a context switch is a change of stacks.
//
// A task that is not running is a stack with its registers on top. To switch means to push the registers that a
// function must keep, put RSP away, take the other task's RSP, pop, and return: into the other task.
#include "print.h"

struct task {
    uint64_t rsp;
    const char *name;
    uint64_t stack[256];
    struct task *next; // round robin
};

static struct task main_task = {.name = "main"}, ping = {.name = "ping"}, pong = {.name = "pong"};
static struct task *current = &main_task;
static unsigned switches;

// void switch_stacks(uint64_t *from, uint64_t to): keeps what System V's ABI lets a caller rely on (AMD64, 3.2.1); all
// other registers the compiler has saved itself, as around any call.
void switch_stacks(uint64_t *from, uint64_t to);
__asm__("switch_stacks: push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, (%rdi); mov %rsi, %rsp\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp; ret");

static void yield(void)
{
    struct task *from = current;
    current = from->next;
    switches++;
    switch_stacks(&from->rsp, current->rsp);
}

// A new task's stack looks as if the task had called switch_stacks: six registers, and where to return to.
static void make(struct task *task, void (*function)(void))
{
    uint64_t *top = task->stack + sizeof(task->stack) / sizeof(*task->stack);
    *--top = 0; // where `function` would return to: it must not
    *--top = (uint64_t)function;
    for (int i = 0; i < 6; i++) *--top = 0;
    task->rsp = (uint64_t)top;
}

static void player(void)
{
    // Local variables are on the task's own stack or in its registers: each task counts separately.
    for (unsigned turn = 1;; turn++) {
        print(current->name);
        print_value(" ", turn);
        yield();
    }
}

void _start(void)
{
    make(&ping, player);
    make(&pong, player);
    main_task.next = &ping;
    ping.next = &pong;
    pong.next = &main_task;
    for (int round = 0; round < 3; round++) yield();
    print_value("switches: ", switches);
    halt(switches);
}
