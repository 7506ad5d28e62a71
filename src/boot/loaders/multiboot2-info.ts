/**
 * Multiboot 2: the information that a kernel finds at EBX, a list of tags.
 * Source: "Multiboot2 Specification version 2.0", 3.6.
 *
 * @module
 */
import { memorySizes } from '../memory-map.js';
import { Block, zeroEnded } from './loader.js';
import { frameBufferEnd, type InformationContents, LOADER_NAME } from './multiboot-info.js';

/** EAX at the kernel's first instruction. */
export const MULTIBOOT2_MAGIC = 0x36d76289;

/** The information; nothing in it depends on its address, which is a multiple of 8. @param loadBase for a kernel that could be moved */
export function multiboot2Information(contents: InformationContents, loadBase?: number): Uint8Array {
  const { map, modules, frameBuffer, sections } = contents;
  const block = new Block();
  block.grow(8);
  const tag = (type: number, write: (at: number) => void) => {
    const at = block.grow(8, 8);
    write(at + 8);
    block.words(at, type, block.length - at);
  };
  tag(1, () => block.add(zeroEnded(contents.commandLine, 'the command line')));
  tag(2, () => block.add(zeroEnded(LOADER_NAME, 'the loader’s name')));
  for (const { address, size, text } of modules)
    tag(3, () => {
      block.words(block.grow(8), address, address + size);
      block.add(zeroEnded(text, 'a module’s arguments'));
    });
  const sizes = memorySizes(map);
  tag(4, () => block.words(block.grow(8), sizes.lower, sizes.upper));
  tag(6, () => {
    block.words(block.grow(8), 24, 0);
    for (const { address, size, type } of map) {
      const at = block.grow(24);
      block.wide(at, address);
      block.wide(at + 8, size);
      block.words(at + 16, type, 0);
    }
  });
  if (frameBuffer !== undefined)
    tag(8, () => {
      const at = block.grow(24);
      block.wide(at, frameBuffer.address);
      block.words(at + 8, frameBuffer.pitch, frameBuffer.width, frameBuffer.height);
      const [bits = 0, type = 0, ...colours] = frameBufferEnd(frameBuffer);
      block.byte(at + 20, bits, type);
      if (colours.length > 0) block.add(Uint8Array.from(colours));
    });
  if (sections !== undefined)
    tag(9, () => {
      block.words(block.grow(12), sections.count, sections.entrySize, sections.names);
      block.add(sections.headers);
    });
  if (loadBase !== undefined) tag(21, () => block.words(block.grow(4), loadBase));
  tag(0, () => {});
  block.words(0, block.length, 0);
  return block.bytes;
}
