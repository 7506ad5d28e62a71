/** The local APICs and the I/O APIC. */
export { EngineApics } from './engine-apics.js';
export { type ApicBus, IO_APIC_ADDRESS, IoApic, type IoApicState } from './io-apic.js';
export { LocalApics, type LocalApicsState } from './local-apics.js';
