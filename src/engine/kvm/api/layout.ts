/**
 * Where the fields of the kernel's structures lie: `sizeof` is its size, every other key a field's offset in bytes, both as
 * <linux/kvm.h> has them on x86-64. A test compiles C against that header and compares each number.
 *
 * @module
 */
export * from './layout-cpu.js';
export * from './layout-run.js';
export * from './layout-vm.js';
