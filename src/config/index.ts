/**
 * The single description of a machine: its fields, their defaults, and their notations on the command line, in files and in programs.
 *
 * @module
 */
export {
  defaultOf,
  type EngineName,
  engineNames,
  type Field,
  type FieldName,
  fieldNames,
  fieldOf,
  fields,
  type MachineName,
  type MachineSpec,
  machineNames,
  optionWord,
  syntaxes,
  type TranslateMode,
  translateModes,
  type VirtioName,
  virtioBuses,
  virtioNames,
} from './fields.js';
export { type GuestFile, parseGuestFile } from './guest-file.js';
export {
  address,
  type DeviceModule,
  type DiskBus,
  type DiskFile,
  flag,
  isList,
  type Kind,
  listOf,
  name,
  region,
  size,
  type ValueSchema,
  whole,
} from './kinds.js';
export { memoryOf } from './memory.js';
export {
  type CardModel,
  cardModels,
  type Forward,
  type NetworkKind,
  type NetworkSpec,
  networkKinds,
} from './networks.js';
export { type OtherKeys, type ReadFields, type Reading, readFields, readSpec } from './read.js';
export { wordsOf } from './words.js';
