// Hypercalls: how a guest asks the monitor to do something for it. docs/hypercalls.md is the manual.
//
// The guest fills a request block anywhere in RAM below 4 GiB and writes the block's physical address to a port, with one
// 32-bit OUT. When the OUT is done, `status` and `result` are there. For C of 32 and 64 bits, and for assembler of 16, 32
// and 64 bits.
#ifndef HYPERCALL_H
#define HYPERCALL_H

#define PORT_HYPERCALL 0xabba // A read gives the status of the last call, -1 where no device answers

#define HYPERCALL_VERSION 0   // result: version in bits 0-31, one bit for each available call in bits 32-63
#define HYPERCALL_WRITE 1     // args: buffer, length. Result: bytes written to the console
#define HYPERCALL_READ_LINE 2 // args: buffer, length. Result: bytes of a line, including its newline
#define HYPERCALL_EXIT 3      // args: code. Does not return
#define HYPERCALL_TIME 4      // args: clock. Result: nanoseconds
#define HYPERCALL_RANDOM 5    // args: buffer, length. Result: bytes that were filled
#define HYPERCALL_LOG 6       // args: text, length. Result: bytes that were logged
#define HYPERCALL_FIRST_OWN 64

#define HYPERCALL_CLOCK_UNIX 0      // since 1970-01-01 00:00 UTC
#define HYPERCALL_CLOCK_MONOTONIC 1 // since a fixed moment, never decreasing

#define HYPERCALL_EAGAIN (-11) // no data yet: try again
#define HYPERCALL_EFAULT (-14) // the block or a buffer is not in RAM
#define HYPERCALL_EINVAL (-22) // an invalid argument
#define HYPERCALL_ENOSYS (-38) // unknown call

#define HYPERCALL_BLOCK_SIZE 48 // bytes, any alignment

#ifdef __ASSEMBLER__

// Fields of the block, for `block + HYPERCALL_STATUS` and the like.
#define HYPERCALL_NUMBER 0
#define HYPERCALL_STATUS 4
#define HYPERCALL_RESULT 8
#define HYPERCALL_ARGS 16

// A block, ready to be used: `hello: hypercall_block HYPERCALL_WRITE, text, 5`. Arguments of 32 bits, since 16-bit and
// 32-bit object files know no addresses of 64.
.macro hypercall_block number, arg0=0, arg1=0, arg2=0, arg3=0
        .long   \number, HYPERCALL_ENOSYS
        .quad   0
        .long   \arg0, 0, \arg1, 0, \arg2, 0, \arg3, 0
.endm

// Makes the call of the block at a constant address; changes EAX and DX. EAX is the status afterwards.
.macro hypercall block
        mov     $\block, %eax
        mov     $PORT_HYPERCALL, %dx
        out     %eax, %dx
        in      %dx, %eax
.endm

#else

#include <stdint.h>
#include "io.h"

struct hypercall {
    uint32_t number;
    int32_t status; // 0, or one of the errors above
    uint64_t result;
    uint64_t args[4];
};

_Static_assert(sizeof(struct hypercall) == HYPERCALL_BLOCK_SIZE, "the block has the layout that the monitor knows");

// Makes a call with a block at its physical address, as in every guest that maps memory to itself. Where no
// monitor answers, the status stays ENOSYS.
static inline int32_t hypercall(struct hypercall *call)
{
    call->status = HYPERCALL_ENOSYS;
    outl(PORT_HYPERCALL, (uint32_t)(uintptr_t)call);
    return call->status;
}

// A call with two arguments: its result, or its error where that is negative.
static inline int64_t hypercall2(uint32_t number, uint64_t first, uint64_t second)
{
    struct hypercall call = {.number = number, .args = {first, second}};
    int32_t status = hypercall(&call);
    return status < 0 ? status : (int64_t)call.result;
}

static inline int64_t hypercall_write(const void *bytes, uint32_t length)
{
    return hypercall2(HYPERCALL_WRITE, (uintptr_t)bytes, length);
}

// HYPERCALL_EAGAIN until a whole line has come: do something else, or try again.
static inline int64_t hypercall_read_line(void *buffer, uint32_t length)
{
    return hypercall2(HYPERCALL_READ_LINE, (uintptr_t)buffer, length);
}

static inline int64_t hypercall_time(uint32_t clock)
{
    return hypercall2(HYPERCALL_TIME, clock, 0);
}

static inline int64_t hypercall_random(void *buffer, uint32_t length)
{
    return hypercall2(HYPERCALL_RANDOM, (uintptr_t)buffer, length);
}

static inline int64_t hypercall_log(const char *text, uint32_t length)
{
    return hypercall2(HYPERCALL_LOG, (uintptr_t)text, length);
}

static inline __attribute__((noreturn)) void hypercall_exit(uint8_t code)
{
    hypercall2(HYPERCALL_EXIT, code, 0);
    halt(code);
}

#endif
#endif
