/**
 * Grades a class: takes submissions in all forms, compiles and runs them in processes or on other machines, and reports.
 *
 * @module
 */
export { checkExercise, type Finding } from './check-exercise.js';
export { serveChild } from './child.js';
export { type GradeOptions, type GradingService, gradeClass, type Progress } from './grade.js';
export { Grader } from './grader.js';
export { findSubmissions, type Submission } from './intake/submissions.js';
export { writeZip } from './intake/zip.js';
export { exerciseDigest, gradingVersion, hashOf } from './job.js';
export { packForGradescope, packForStudents } from './pack.js';
export { Pool } from './pool.js';
export type { CommandResult, ReplayData, VerifyData } from './queue/command-job.js';
export { checkQueueUrl } from './queue/connect.js';
export { serveDashboard } from './queue/dashboard.js';
export { type Answer, Jobs } from './queue/jobs.js';
export { QueueService } from './queue/producer.js';
export { work } from './queue/work.js';
export { ClassReport, type Entry } from './report/class-report.js';
export { toCsv, toGradescope, toJson, toJunit, toMoodle, toText } from './report/texts.js';
export { classPageFile, writeOutput, writePages } from './report/write.js';
