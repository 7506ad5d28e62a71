/**
 * System instructions that came after the 686 (SDM 2D appendix A, tables ). All are after 0F, in the notation of one-byte.ts.
 *
 * @module
 */
export const systemRows: readonly string[] = `
01/1/2 clac -
01/1/3 stac -
01/7/1 rdtscp -
f3.ae/0 rdfsbase Ry only64
f3.ae/1 rdgsbase Ry only64
f3.ae/2 wrfsbase Ry only64
f3.ae/3 wrgsbase Ry only64
f3.c7/7 rdpid Ry f64
66.38.82 invpcid Gy,M f64
`
  .trim()
  .split('\n');
