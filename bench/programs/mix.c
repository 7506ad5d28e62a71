// What `npm run bench -- soft` runs on every engine, emulator and the processor itself: a loop of simple instructions in
// assembler, and small programs in C. Each part ends with a line on the serial port: its name and a checksum. The line's
// arrival is the end of the part; the checksum is the same wherever the part was run.
//
// Everything is done twice; who measures takes the second round, when a just-in-time compiler has warmed up.
#include "report.h"

// Five instructions a round, none of them touching memory.
static uint32_t simple_loop(void)
{
    unsigned long rounds = 200000ul * SCALE, sum = 0, mixed = 0, other = 0;
    __asm__ volatile("1: add %3, %0\n\t"
                     "xor %0, %1\n\t"
                     "lea 1(%0,%1), %2\n\t"
                     "dec %3\n\t"
                     "jnz 1b"
                     : "+r"(sum), "+r"(mixed), "+r"(other), "+r"(rounds) : : "cc");
    return (uint32_t)sum;
}

#define BUFFER (256 * 1024)
static uint8_t source[BUFFER], target[BUFFER];

static uint32_t copy(void)
{
    for (unsigned i = 0; i < BUFFER; i++) source[i] = (uint8_t)pseudo_random();
    for (unsigned round = 0; round < 8 * SCALE; round++) {
        unsigned long *to = (unsigned long *)target;
        const unsigned long *from = (const unsigned long *)source;
        // A piece of 32 KiB at another place each round, as memcpy would do it without wider registers.
        unsigned start = round * 4096 % (BUFFER / 2) / sizeof *to;
        for (unsigned i = 0; i < 32768 / sizeof *to; i++) to[start + i] = from[start + i];
    }
    uint32_t sum = 0;
    for (unsigned i = 0; i < BUFFER; i += 64) sum = sum * 31 + target[i];
    return sum;
}

static uint32_t sieve(void)
{
    uint32_t primes = 0;
    for (unsigned round = 0; round < SCALE; round++) {
        primes = 0;
        for (unsigned i = 0; i < 32768; i++) target[i] = 1;
        for (unsigned i = 2; i < 32768; i++) {
            if (!target[i]) continue;
            primes++;
            for (unsigned j = i + i; j < 32768; j += i) target[j] = 0;
        }
    }
    return primes;
}

static uint32_t crc_table[256];

static uint32_t crc32(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
        crc_table[i] = value;
    }
    uint32_t crc = ~0u;
    for (unsigned round = 0; round < SCALE; round++)
        for (unsigned i = 0; i < 32768; i++) crc = crc >> 8 ^ crc_table[(crc ^ source[i + (round & 63)]) & 255];
    return ~crc;
}

static uint32_t numbers[16384];

static void quicksort(uint32_t *first, uint32_t *last)
{
    while (first < last) {
        uint32_t pivot = first[(last - first) / 2];
        uint32_t *low = first, *high = last;
        while (low <= high) {
            while (*low < pivot) low++;
            while (*high > pivot) high--;
            if (low > high) break;
            uint32_t swapped = *low;
            *low++ = *high;
            *high-- = swapped;
        }
        quicksort(first, high);
        first = low;
    }
}

static uint32_t sort(void)
{
    const unsigned count = 4096;
    uint32_t sum = 0;
    for (unsigned round = 0; round < SCALE; round++) {
        for (unsigned i = 0; i < count; i++) numbers[i] = pseudo_random();
        quicksort(numbers, numbers + count - 1);
        sum = sum * 31 + numbers[count / 2];
    }
    return sum;
}

static const uint32_t sha_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate(uint32_t value, int by) { return value >> by | value << (32 - by); }

// FIPS 180-4, 6.2.2: one block of 64 bytes.
static void sha256_block(uint32_t state[8], const uint8_t *bytes)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)bytes[4 * i] << 24 | (uint32_t)bytes[4 * i + 1] << 16 | (uint32_t)bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    for (int i = 0; i < 8; i++) s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        uint32_t a = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
        uint32_t b = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        uint32_t t = s[7] + a + ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha_constants[i] + w[i];
        uint32_t u = b + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t, s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = t + u;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

static uint32_t sha256(void)
{
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (unsigned block = 0; block < 64 * SCALE; block++) sha256_block(state, source + block % 1024 * 64);
    return state[0];
}

// Beside the mix: the processor's own copy, 64 KiB at a time.
static uint32_t rep_movs(void)
{
    for (unsigned round = 0; round < SCALE; round++) {
        void *to = target + (round & 7), *from = source;
        unsigned long count = 65536;
        __asm__ volatile("cld; rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory", "cc");
    }
    return target[4096];
}

void programs(void)
{
    for (int round = 0; round < 2; round++) {
        seed = 1;
        report("start", SCALE);
        report("loop", simple_loop());
        report("memcpy", copy());
        report("sieve", sieve());
        report("crc32", crc32());
        report("quicksort", sort());
        report("sha256", sha256());
        report("rep-movs", rep_movs());
    }
    report("end", 0);
}

#ifdef HOSTED
int main(void)
{
    programs();
    return 0;
}
#endif
