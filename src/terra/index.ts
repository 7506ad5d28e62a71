/**
 * Snapshots and recordings as files, `.terra`. Nothing here knows Node.
 *
 * @module
 */
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
