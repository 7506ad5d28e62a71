/**
 * The screen that a machine has when a kernel starts: text, or the graphics that a multiboot kernel's header asks for.
 *
 * @module
 */
import type { FrameBuffer, Image } from '../boot/index.js';
import type { Vga } from '../devices/index.js';

/** What a VGA shows when it is switched on. */
const TEXT_SCREEN: FrameBuffer = {
  address: 0xb_8000,
  pitch: 160,
  width: 80,
  height: 25,
  bits: 16,
  kind: 'text',
};
/** What a kernel gets that leaves it to its loader, and the most that it gets. */
const USUAL = { width: 1024, height: 768 } as const;
const LARGEST = { width: 1920, height: 1080 } as const;
/** Depths whose pixels are colours; a request for another one gets 32 bits. */
const DEPTHS = [15, 16, 24, 32];

export interface GraphicsRequest {
  width: number;
  height: number;
  bits: number;
}

/** The graphics that an image's header requests. */
export function requestedGraphics({ loader }: Image): GraphicsRequest | undefined {
  if (loader?.protocol !== 'multiboot' && loader?.protocol !== 'multiboot2') return undefined;
  const { video } = loader;
  if (video === undefined || video.text) return undefined;
  const { width, height, bits } = video;
  return {
    // Lines are of whole groups of eight pixels.
    width: Math.max(Math.min(width || USUAL.width, LARGEST.width) & ~7, 8),
    height: Math.min(height || USUAL.height, LARGEST.height),
    bits: DEPTHS.includes(bits) ? bits : 32,
  };
}

/** A loader's description of the screen; a request for graphics needs a VGA that is a display adapter. */
export function frameBufferFor({ display }: Vga, requested: GraphicsRequest | undefined): FrameBuffer {
  if (display === undefined || requested === undefined) return TEXT_SCREEN;
  const { width, height, bits } = requested;
  const pitch = (width * (bits === 15 ? 16 : bits)) / 8;
  return { address: display.address, pitch, width, height, bits, kind: 'rgb' };
}
