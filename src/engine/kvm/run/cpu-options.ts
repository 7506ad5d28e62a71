/** A vCPU's properties that depend on its machine. */
export interface CpuOptions {
  readonly trustsGuestDebug: boolean;
  /** The local APIC is KVM's. */
  readonly hasApic: boolean;
  /** It is a device. */
  readonly deviceApic: boolean;
  /** Guest memory; undefined for an address that is not RAM. */
  readonly read64: (address: number) => bigint | undefined;
  /** The CPU is one of several, each of which runs on its own thread. */
  readonly crew?: { setTimer(firstMs: number, intervalMs: number): void } | undefined;
  /** How many CPUs there are. */
  readonly cpus: number;
}
