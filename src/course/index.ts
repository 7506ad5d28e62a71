/**
 * The course: lessons that lie in `docs/course/`, and what looks at a solution.
 *
 * @module
 */
export { type CheckedLesson, checkFolder, type LessonCheck } from './check.js';
export { findLesson, type Lesson, readLessons, startLesson } from './lessons.js';
