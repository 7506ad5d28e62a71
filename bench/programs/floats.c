// The parts of `npm run bench -- soft` that compute with SSE2 (64 bits) or with the x87 (32 bits), and the vectors of SSE2 as the
// C library uses them. As in mix.c, each part ends with a line on the serial port, and all is done twice.
#include "report.h"

static uint32_t bits_of(double value)
{
    union { double value; uint64_t bits; } both = {value};
    return (uint32_t)(both.bits >> 20);
}

// Newton's method, since there is no library.
static double root(double value)
{
    double guess = value > 1 ? value : 1;
    for (int i = 0; i < 20; i++) guess = 0.5 * (guess + value / guess);
    return guess;
}

struct body { double x, y, z, vx, vy, vz, mass; };

// After the program of the Computer Language Benchmarks Game, with its own numbers.
static uint32_t nbody(void)
{
    struct body bodies[5];
    for (int i = 0; i < 5; i++) {
        // Not known to the compiler, which would compute all of it.
        double n = i + (pseudo_random() >> 30) * 0.125;
        bodies[i] = (struct body){3 * n, 1 - n, n * n / 4, (n - 2) / 8, n / 16, (2 - n) / 32, 1 / (n + 1)};
    }
    for (unsigned step = 0; step < 40 * SCALE; step++) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                struct body *a = &bodies[i], *b = &bodies[j];
                double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
                double square = dx * dx + dy * dy + dz * dz + 0.01, size = 0.001 / (square * root(square));
                a->vx -= dx * b->mass * size, a->vy -= dy * b->mass * size, a->vz -= dz * b->mass * size;
                b->vx += dx * a->mass * size, b->vy += dy * a->mass * size, b->vz += dz * a->mass * size;
            }
        for (int i = 0; i < 5; i++) {
            bodies[i].x += 0.001 * bodies[i].vx;
            bodies[i].y += 0.001 * bodies[i].vy;
            bodies[i].z += 0.001 * bodies[i].vz;
        }
    }
    return bits_of(bodies[0].x);
}

static uint32_t mandelbrot(void)
{
    uint32_t sum = 0;
    for (unsigned round = 0; round < SCALE; round++)
        for (int row = 0; row < 16; row++)
            for (int column = 0; column < 16; column++) {
                double cr = column / 8.0 - 1.5, ci = row / 8.0 - 1.0, zr = 0, zi = 0;
                int i = 0;
                for (; i < 50 && zr * zr + zi * zi < 4; i++) {
                    double next = zr * zr - zi * zi + cr;
                    zi = 2 * zr * zi + ci;
                    zr = next;
                }
                sum = sum * 31 + (uint32_t)i;
            }
    return sum;
}

#define SIDE 32
static double left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];

static uint32_t matmul(void)
{
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) left[i][j] = i - j * 0.5, right[i][j] = (i ^ j) * 0.25;
    for (unsigned round = 0; round < SCALE; round++)
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                double sum = 0;
                for (int k = 0; k < SIDE; k++) sum += left[i][k] * right[k][j];
                product[i][j] = sum;
            }
    return bits_of(product[SIDE - 1][SIDE - 2]);
}

#ifdef __x86_64__
#include <emmintrin.h>

#define TEXT 16384
static uint8_t text[TEXT] __attribute__((aligned(16))), copied[TEXT] __attribute__((aligned(16)));

// Four vectors a round, as the C library's memcpy does it.
static uint32_t vector_copy(void)
{
    for (unsigned i = 0; i < TEXT; i++) text[i] = (uint8_t)(pseudo_random() >> 24 | 1);
    for (unsigned round = 0; round < 8 * SCALE; round++)
        for (unsigned i = 0; i < TEXT; i += 64) {
            const __m128i *from = (const __m128i *)(text + i);
            __m128i *to = (__m128i *)(copied + i);
            __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1);
            __m128i c = _mm_loadu_si128(from + 2), d = _mm_loadu_si128(from + 3);
            _mm_store_si128(to, a), _mm_store_si128(to + 1, b), _mm_store_si128(to + 2, c), _mm_store_si128(to + 3, d);
        }
    return copied[TEXT - 3];
}

// As the C library's strlen: PCMPEQB and PMOVMSKB.
static uint32_t vector_strlen(void)
{
    uint32_t sum = 0;
    text[TEXT - 1] = 0;
    for (unsigned round = 0; round < 8 * SCALE; round++) {
        const uint8_t *at = text;
        __m128i zero = _mm_setzero_si128();
        int mask;
        while ((mask = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128((const __m128i *)at), zero))) == 0) at += 16;
        sum += (uint32_t)(at - text) + (uint32_t)__builtin_ctz((unsigned)mask);
    }
    return sum;
}

// Four sums at once: additions, shifts and multiplications of lanes.
static uint32_t vector_hash(void)
{
    __m128i state = _mm_set_epi32(1, 2, 3, 4), factor = _mm_set1_epi32(0x9e3779b1);
    for (unsigned round = 0; round < 2 * SCALE; round++)
        for (unsigned i = 0; i < TEXT; i += 16) {
            __m128i value = _mm_load_si128((const __m128i *)(text + i));
            state = _mm_add_epi32(state, _mm_mul_epu32(value, factor));
            state = _mm_xor_si128(_mm_slli_epi32(state, 13), _mm_srli_epi32(state, 19));
        }
    uint32_t lanes[4];
    _mm_storeu_si128((__m128i *)lanes, state);
    return lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3];
}
#endif

void programs(void)
{
    for (int round = 0; round < 2; round++) {
        seed = 1;
        report("start", SCALE);
        report("nbody", nbody());
        report("mandelbrot", mandelbrot());
        report("matmul", matmul());
#ifdef __x86_64__
        report("vector-copy", vector_copy());
        report("vector-strlen", vector_strlen());
        report("vector-hash", vector_hash());
#endif
    }
    report("end", 0);
}

