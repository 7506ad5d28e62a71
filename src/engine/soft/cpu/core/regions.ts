// Guest RAM: the region of a guest physical address, and its address in WebAssembly memory.
import { REGION_COUNT, REGION_SIZE, REGIONS } from '../../layout';

/** The region of a guest physical address, or 0. */
export function regionOf(physical: u64): usize {
  const count = <usize>load<u32>(REGION_COUNT);
  for (let i: usize = 0; i < count; i++) {
    const region = REGIONS + i * REGION_SIZE;
    if (physical - load<u64>(region) < load<u64>(region, 8)) return region;
  }
  return 0;
}

/** The address in WebAssembly memory of a physical address in a region. */
export function placeIn(region: usize, physical: u64): usize {
  return <usize>(physical - load<u64>(region)) + <usize>load<u32>(region, 16);
}

export function isReadOnly(region: usize): bool {
  return load<u32>(region, 20) != 0;
}

/** The address in WebAssembly memory of a byte of RAM, or 0. */
export function placeOf(physical: u64): usize {
  const region = regionOf(physical);
  return region ? placeIn(region, physical) : 0;
}
