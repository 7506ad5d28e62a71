/**
 * The layout of the kernel's structures: `sizeof` is the size, every other key a field's offset in bytes, both as in
 * <linux/kvm.h> on x86-64. A test compiles C code with that header and compares each number.
 *
 * @module
 */
export * from './layout-cpu.js';
export * from './layout-run.js';
export * from './layout-vm.js';
