// Every instruction, by the name that the opcode table has for it.
export * from './arithmetic';
export * from './bits';
export * from './branches';
export * from './control';
export * from './cpuid';
export * from './far';
export * from './fast-calls';
export * from './moves';
export * from './msr';
export * from './multiply';
export * from './ports';
export * from './selectors';
export * from './shifts';
export * from './stack';
export * from './strings';
export * from './system';
