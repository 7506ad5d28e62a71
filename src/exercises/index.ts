/**
 * Exercises: the format of their folder, and the verdict on a submission.
 *
 * @module
 */
export {
  buildSubmission,
  buildSymbols,
  type Compiled,
  changeFiles,
  type NotCompiled,
  type Source,
  sandboxHere,
} from './build.js';
export { type CheckRequest, Exam, type ExpectRequest } from './exam.js';
export {
  type Check,
  defaultLimits,
  type Exercise,
  ExerciseError,
  isExercise,
  type Limits,
  moduleNames,
  parseExercise,
  type Run,
  readExercise,
  type SourceCheck,
} from './exercise.js';
export {
  digestOf,
  FileCollector,
  type Files,
  readFolder,
  SubmissionError,
  shownName,
  submissionLimits,
} from './files.js';
export type { GuestRun, RunRequest, SeenExit } from './guest-run.js';
export { judge } from './judge.js';
export { newExercise } from './new-exercise.js';
export { Random, seedOf } from './random.js';
export { type CheckResult, passed, type RunResult, type Verdict, withoutRun } from './verdict.js';
export { readSolution, readStart, readWrong, type WrongSolution } from './wrong.js';
