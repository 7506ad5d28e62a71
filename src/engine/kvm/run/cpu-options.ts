/** What a vCPU is to know of its machine. */
export interface CpuOptions {
  readonly trustsGuestDebug: boolean;
  /** The local APIC is KVM's. */
  readonly hasApic: boolean;
  /** It is a device. */
  readonly deviceApic: boolean;
  /** Guest memory; undefined for an address that is not RAM. */
  readonly read64: (address: number) => bigint | undefined;
  /** The CPU is one of several, which run on threads of their own. */
  readonly crew?: { setTimer(firstMs: number, intervalMs: number): void } | undefined;
  /** How many CPUs there are. */
  readonly cpus: number;
}
