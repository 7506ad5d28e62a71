import { Fxsave } from '../../../x86/index.js';
import * as L from '../layout.js';

const ST_BYTES = 10;
const XMM_BYTES = 256;
const top = (status: number) => (status >>> 11) & 7;

/** The address of ST(`number`). */
function registerAt(view: DataView, status: number, number: number): number {
  return view.byteOffset + L.FPU_REGISTERS + 16 * ((top(status) + number) & 7);
}

/** x87, MXCSR and XMM registers in the format of FXSAVE in 64-bit mode with REX.W. */
export function readFxsave(view: DataView): Uint8Array {
  const bytes = new Uint8Array(Fxsave.size);
  const area = new DataView(bytes.buffer);
  const status = view.getUint16(L.FPU_STATUS, true);
  area.setUint16(Fxsave.FCW, view.getUint16(L.FPU_CONTROL, true), true);
  area.setUint16(Fxsave.FSW, status, true);
  area.setUint8(Fxsave.FTW, view.getUint8(L.FPU_TAGS));
  area.setUint16(Fxsave.FOP, view.getUint16(L.FPU_OPCODE, true), true);
  area.setBigUint64(Fxsave.FIP, view.getBigUint64(L.FPU_IP, true), true);
  area.setBigUint64(Fxsave.FDP, view.getBigUint64(L.FPU_DP, true), true);
  area.setUint32(Fxsave.MXCSR, view.getUint32(L.MXCSR, true), true);
  area.setUint32(Fxsave.MXCSR_MASK, view.getUint32(L.MXCSR_ALLOWED, true), true);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset + L.XMM_REGISTERS, XMM_BYTES), Fxsave.XMM);
  for (let number = 0; number < 8; number++) {
    const register = new Uint8Array(view.buffer, registerAt(view, status, number), ST_BYTES);
    bytes.set(register, Fxsave.ST + 16 * number);
  }
  return bytes;
}

export function writeFxsave(view: DataView, bytes: Uint8Array): void {
  const area = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const status = area.getUint16(Fxsave.FSW, true);
  view.setUint16(L.FPU_CONTROL, area.getUint16(Fxsave.FCW, true), true);
  view.setUint16(L.FPU_STATUS, status, true);
  view.setUint8(L.FPU_TAGS, area.getUint8(Fxsave.FTW));
  view.setUint16(L.FPU_OPCODE, area.getUint16(Fxsave.FOP, true) & 0x7ff, true);
  view.setBigUint64(L.FPU_IP, area.getBigUint64(Fxsave.FIP, true), true);
  view.setBigUint64(L.FPU_DP, area.getBigUint64(Fxsave.FDP, true), true);
  view.setUint32(L.MXCSR, area.getUint32(Fxsave.MXCSR, true) & view.getUint32(L.MXCSR_ALLOWED, true), true);
  new Uint8Array(view.buffer, view.byteOffset + L.XMM_REGISTERS, XMM_BYTES).set(
    bytes.subarray(Fxsave.XMM, Fxsave.XMM + XMM_BYTES),
  );
  for (let number = 0; number < 8; number++) {
    const at = Fxsave.ST + 16 * number;
    const register = new Uint8Array(view.buffer, registerAt(view, status, number), ST_BYTES);
    register.set(bytes.subarray(at, at + ST_BYTES));
  }
}
