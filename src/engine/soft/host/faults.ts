import type { FaultRecord } from '../../contract/index.js';
import * as L from '../layout.js';

/** The exceptions that were raised last, oldest first. */
export function readFaults(view: DataView): FaultRecord[] {
  const count = view.getUint32(L.FAULT_COUNT, true);
  const faults: FaultRecord[] = [];
  for (let number = Math.max(0, count - L.MAX_FAULTS); number < count; number++) {
    const at = L.FAULTS + (number % L.MAX_FAULTS) * L.FAULT_ENTRY;
    const code = view.getInt32(at + L.FAULT_AT_CODE, true);
    const delivering = view.getInt32(at + L.FAULT_AT_DELIVERING, true);
    faults.push({
      vector: view.getUint32(at + L.FAULT_AT_VECTOR, true),
      ...(code >= 0 && { code }),
      ...(delivering >= 0 && { delivering }),
      cs: view.getUint32(at + L.FAULT_AT_CS, true),
      rip: view.getBigUint64(at + L.FAULT_AT_RIP, true),
      ss: view.getUint32(at + L.FAULT_AT_SS, true),
      rsp: view.getBigUint64(at + L.FAULT_AT_RSP, true),
      cr2: view.getBigUint64(at + L.FAULT_AT_CR2, true),
    });
  }
  return faults;
}
