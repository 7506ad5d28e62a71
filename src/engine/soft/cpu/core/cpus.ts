// Several CPUs take turns in one instance. The state's fixed addresses in the engine area belong to one of them at a
// time; the state of the others is in areas at the end of the block pool. Each CPU has its own TLB tables, which do not
// move.
import {
  ANSWER_COUNT,
  ANSWERS,
  AREA_EXTENDED,
  AREA_FAULTS,
  AREA_STRING,
  AREA_SYSTEM,
  AREA_TLB,
  AREA_VECTORS,
  BATCH,
  CLOCK,
  CPU_AREA,
  CPU_COUNT,
  CPU_NOW,
  EXIT_KIND,
  EXIT_PLACE,
  EXTENDED_AREA,
  EXTENDED_LENGTH,
  FAULT_BYTES,
  FAULT_COUNT,
  FPU_CONTROL,
  LOGS_WRITES,
  POOL_END,
  STRING_BYTES,
  STRING_DATA,
  SYSTEM_BYTES,
  TLB,
  TLB_HERE,
  TLB_NOW,
  VECTOR_BYTES,
  XMM_REGISTERS,
} from '../../layout';

/** The area of a CPU. */
export function areaOf(cpu: u32): usize {
  return POOL_END - <usize>(load<u32>(CPU_COUNT) - cpu) * CPU_AREA;
}

/** The address of a CPU's word in the part of its state that begins with TLB_NOW. */
export function systemOf(cpu: u32, place: usize): usize {
  return cpu == load<u32>(CPU_NOW) ? place : areaOf(cpu) + AREA_SYSTEM + place - TLB_NOW;
}

/** The same for the part below REGIONS. */
export function stateOf(cpu: u32, place: usize): usize {
  return cpu == load<u32>(CPU_NOW) ? place : areaOf(cpu) + place;
}

/** The address of a CPU's TLB tables. */
export function tablesOf(cpu: u32): usize {
  return cpu == 0 ? <usize>TLB : areaOf(cpu) + AREA_TLB;
}

/** Copies between the state's fixed addresses and the area of a CPU. */
function move(area: usize, back: bool): void {
  copy(area + FPU_CONTROL, FPU_CONTROL, CLOCK - FPU_CONTROL, back);
  copy(area + EXIT_KIND, EXIT_KIND, LOGS_WRITES - EXIT_KIND, back);
  copy(area + AREA_SYSTEM, TLB_NOW, SYSTEM_BYTES, back);
  copy(area + AREA_VECTORS, XMM_REGISTERS, VECTOR_BYTES, back);
  copy(area + AREA_FAULTS, FAULT_COUNT, FAULT_BYTES, back);
  // These are copied only where there are any.
  const answers = load<u32>(ANSWER_COUNT);
  if (answers) copy(area + ANSWERS, ANSWERS, (<usize>answers) << 3, back);
  if (load<u32>(BATCH) || load<u32>(EXIT_PLACE) == STRING_DATA)
    copy(area + AREA_STRING, STRING_DATA, STRING_BYTES, back);
  const extended = <usize>load<u32>(EXTENDED_LENGTH);
  if (extended) copy(area + AREA_EXTENDED, EXTENDED_AREA, extended, back);
}

function copy(area: usize, place: usize, length: usize, back: bool): void {
  if (back) memory.copy(place, area, length);
  else memory.copy(area, place, length);
}

/** From now on the state's fixed addresses belong to this CPU. */
export function selectCpu(cpu: u32): void {
  const now = load<u32>(CPU_NOW);
  if (cpu == now) return;
  move(areaOf(now), false);
  move(areaOf(cpu), true);
  store<u32>(CPU_NOW, cpu);
}

/** Initializes this CPU as a copy of the one to which the fixed addresses belong. */
export function cloneCpu(cpu: u32): void {
  const area = areaOf(cpu);
  move(area, false);
  store<u32>(area + AREA_SYSTEM + TLB_HERE - TLB_NOW, <u32>tablesOf(cpu));
}
