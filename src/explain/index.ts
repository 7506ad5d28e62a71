/**
 * Why did the guest die? Explanations from the exceptions that the CPU raised and its last state.
 *
 * @module
 */
export {
  type DeathSubject,
  type ExplainedStep,
  type Explanation,
  endsBadly,
  explain,
  formatExplanation,
} from './explain.js';
export { type Missing, missingAt } from './missing.js';
export type { ImagePlace, Locate } from './scene.js';
export { type Access, memoryOf, type SceneSource, sceneOf } from './scene.js';
export { stormText } from './storm.js';
export { explainPolling, waitLine } from './waits.js';
