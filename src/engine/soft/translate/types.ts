/** Types of WebAssembly's values, and what stands for none in a block's type. */
export const Type = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, none: 0x40 } as const;
