/*
 * What compilers make of everyday C: floating point, vectors, strings, bits. The same instructions run on the host (with
 * HOST defined) and on the software CPU, where the code lies at the start of the image and ends in UD2.
 */
#include <stdint.h>

#define COUNT 64

struct results {
  double orbit[12];
  float matrix[16];
  uint32_t pixels[COUNT];
  int16_t sound[COUNT];
  uint8_t text[COUNT];
  uint64_t bits[8];
};

/* Planets about a sun: division and square roots. */
static void orbits(double *at) {
  static const double mass[2] = {39.47841760435743, 0.03769367487038949};
  double x[2] = {0, 4.84143144246472}, y[2] = {0, -1.16032004402742}, vx[2] = {0, 0.606326392995832};
  double vy[2] = {0, 2.81198684491626};
  for (int step = 0; step < 2000; step++) {
    double dx = x[0] - x[1], dy = y[0] - y[1];
    double square = dx * dx + dy * dy, root = __builtin_sqrt(square), pull = 0.01 / (square * root);
    vx[0] -= dx * mass[1] * pull, vy[0] -= dy * mass[1] * pull;
    vx[1] += dx * mass[0] * pull, vy[1] += dy * mass[0] * pull;
    for (int n = 0; n < 2; n++) x[n] += 0.01 * vx[n], y[n] += 0.01 * vy[n];
  }
  for (int n = 0; n < 2; n++) at[4 * n] = x[n], at[4 * n + 1] = y[n], at[4 * n + 2] = vx[n], at[4 * n + 3] = vy[n];
  at[8] = (double)(float)x[1], at[9] = (double)(int64_t)(y[1] * 1e6), at[10] = (float)(uint64_t)(x[1] * x[1] * 1e9);
  at[11] = x[1] > y[1] ? x[1] / 1e-310 : y[1];
}

static void multiply(float *to) {
  float a[16], b[16];
  for (int n = 0; n < 16; n++) a[n] = (float)n / 7, b[n] = 1 / (float)(n + 1), to[n] = 0;
  for (int n = 0; n < 400; n++) {
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++)
        for (int k = 0; k < 4; k++) to[4 * i + j] += a[4 * i + k] * b[4 * k + j];
    for (int i = 0; i < 16; i++) a[i] = to[i] * 0.3f;
  }
}

static void draw(uint32_t *pixels) {
  for (int n = 0; n < COUNT; n++) {
    double x0 = n * 0.05 - 2, y0 = n * 0.02, x = 0, y = 0;
    uint32_t count = 0;
    for (; count < 1000 && x * x + y * y < 4; count++) {
      double next = x * x - y * y + x0;
      y = 2 * x * y + y0, x = next;
    }
    pixels[n] = count;
  }
}

static void mix(int16_t *sound, uint8_t *text) {
  for (int n = 0; n < COUNT; n++) {
    int sum = (n * 1999 - 30000) + (n * n * 31 - 20000);
    sound[n] = (int16_t)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum);
    text[n] = (uint8_t)(n * 37);
  }
  for (int n = 0; n < COUNT; n++) text[n] = text[n] > 0x60 && text[n] < 0x7b ? text[n] - 32 : (text[n] + sound[n]) / 2;
}

static void count(uint64_t *bits) {
  uint64_t x = 0x9e3779b97f4a7c15;
  for (int n = 0; n < 8; n++) bits[n] = 0;
  for (int n = 0; n < 1000; n++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    bits[0] += (uint64_t)__builtin_popcountll(x);
    bits[1] += (uint64_t)__builtin_clzll(x | 1);
    bits[2] += (uint64_t)__builtin_ctz((uint32_t)x | 0x80000000);
    bits[3] ^= __builtin_bswap64(x) & ~bits[0];
    bits[4] += x & (x - 1);
    bits[5] = __builtin_ia32_crc32di(bits[5], x);
    bits[6] += (uint64_t)(((unsigned __int128)x * bits[4]) >> 64);
    bits[7] ^= x >> (bits[0] & 63);
  }
}

static void work(struct results *to) {
  orbits(to->orbit);
  multiply(to->matrix);
  draw(to->pixels);
  mix(to->sound, to->text);
  count(to->bits);
}

#ifdef HOST
#include <stdio.h>
int main(void) {
  static struct results results;
  work(&results);
  return fwrite(&results, sizeof results, 1, stdout) != 1;
}
#else
__attribute__((section(".text.start"))) void start(struct results *to) {
  work(to);
  __builtin_trap();
}
#endif
