/**
 * A stack that has grown out of its memory: finds the recursive call by the return addresses on it.
 *
 * @module
 */
import { hex, readPhysical, sizeText, walkPages } from '../inspect/index.js';
import { type CallSite, callBefore } from './code-place.js';
import { linearStack, type Scene } from './scene.js';

/** How much memory is searched, from the stack upwards or from address 0: bytes. */
const SEARCHED_BYTES = 512 * 1024;
/** This many equal return addresses are not a coincidence. */
const MIN_REPEATS = 8;

/** The facts about a stack pointer outside RAM. */
export interface LeftStack {
  check: string;
  evidence: string[];
  mistake: string;
}

/** Undefined where the stack pointer is in RAM. */
export function explainLeftStack(scene: Scene): LeftStack | undefined {
  const top = linearStack(scene);
  const { physical } = walkPages(scene, top);
  if (physical !== undefined && readPhysical(scene.memory, physical, 1) !== undefined) return undefined;
  const where = `the stack pointer is ${hex(scene.registers.rsp)}, where there is no RAM`;
  const found = mostFrequentCall(scene, 0n);
  if (found === undefined) return undefined;
  const { site, times } = found;
  return {
    check: `${where}: the stack has grown down out of its memory`,
    evidence: [
      `${times} return addresses in the first ${sizeText(SEARCHED_BYTES)} of memory point after the call at ${hex(site.address)}${named(scene, site.address)}`,
    ],
    mistake: `${recursionText(scene, site)}: endless recursion, or frames that are too large. Check the condition that ends it.`,
  };
}

/** The call that left the most return addresses in memory from `start` on; undefined where none is frequent enough. */
export function mostFrequentCall(scene: Scene, start: bigint): { site: CallSite; times: number } | undefined {
  if (scene.image === undefined) return undefined;
  const size = scene.code === 64 ? 8 : scene.code === 32 ? 4 : 2;
  const counts = new Map<bigint, number>();
  for (let at = start; at < start + BigInt(SEARCHED_BYTES); at += BigInt(size)) {
    const value = readPhysical(scene.memory, at, size);
    if (value === undefined) break;
    if (value !== 0n) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const often = [...counts].filter(([, times]) => times >= MIN_REPEATS).sort(([, a], [, b]) => b - a);
  for (const [value, times] of often.slice(0, 64)) {
    const site = callBefore(scene, value);
    if (site !== undefined) return { site, times };
  }
  return undefined;
}

/** `<f+0x1c> calls <f>, again and again`. */
function recursionText({ locate }: Scene, { address, target }: CallSite): string {
  const caller = locate(address) ?? hex(address);
  const callee = target === undefined ? 'a function through a pointer' : (locate(target) ?? hex(target));
  return `${caller} calls ${callee} again and again`;
}

function named({ locate }: Scene, address: bigint): string {
  const where = locate(address);
  return where === undefined ? '' : `, ${where}`;
}
