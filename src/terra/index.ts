/**
 * Snapshots and recordings as files, `.terra`, and a project as a link. Nothing here knows Node.
 *
 * @module
 */
export { decodeLink, encodeLink, LinkError, type RecordedInput, type Shared, type TextFile } from './link.js';
export { TerraError } from './sections.js';
export {
  decodeTerra,
  encodeTerra,
  type Fingerprint,
  hostFields,
  type RecordedEnd,
  TERRA_VERSION,
  type Terra,
} from './terra.js';
