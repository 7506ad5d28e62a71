/**
 * `recognise` finds the kind of a file by its bytes, with the evidence.
 *
 * @module
 */
export { pvhEntry } from './elf-notes.js';
export { type FoundHeader, hasMultiboot, hasMultiboot2 } from './headers.js';
export {
  type ImageBytes,
  type ImageKind,
  imageBytes,
  imageKinds,
  kindWords,
  type Recognised,
} from './kinds.js';
export { recognise } from './recognise.js';
