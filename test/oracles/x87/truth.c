/*
 * How far results of the transcendental instructions are from the truth. Standard input holds records of 32 bytes: which
 * function, one byte, and a byte without meaning; ST(0), ST(1) and the result, ten bytes each. Standard output gets a double
 * for each: the distance in units of the result's last bit. libquadmath calculates with 113 bits.
 */
#include <quadmath.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static long double number(const uint8_t *bytes) {
  long double value = 0;
  memcpy(&value, bytes, 10);
  return value;
}

/* The processor's pi has 66 bits (SDM 1 8.3.8), and what is left of an argument is exact. */
static __float128 circular(int what, __float128 x) {
  const __float128 quarter = 0x3.243F6A8885A308D3p-1Q;
  int count = 0;
  __float128 rest = remquoq(x, quarter, &count);
  if (what == 2) return count & 1 ? -1 / tanq(rest) : tanq(rest);
  if (what == 1) count++;
  __float128 value = count & 1 ? cosq(rest) : sinq(rest);
  return count & 2 ? -value : value;
}

static __float128 truth(int function, __float128 x, __float128 y) {
  switch (function) {
  case 0: return circular(0, x);
  case 1: return circular(1, x);
  case 2: return circular(2, x);
  case 3: return atan2q(y, x);
  case 4: return y * (logq(x) / M_LN2q);
  case 5: return y * (log1pq(x) / M_LN2q);
  default: return expm1q(x * M_LN2q);
  }
}

int main(void) {
  uint8_t record[32];
  while (fread(record, sizeof record, 1, stdin) == 1) {
    __float128 right = truth(record[0], number(record + 2), number(record + 12));
    __float128 result = number(record + 22);
    int exponent;
    frexpq(right, &exponent);
    double distance = (double)fabsq(scalbnq(result - right, 64 - exponent));
    if (fwrite(&distance, sizeof distance, 1, stdout) != 1) return 1;
  }
  return 0;
}
