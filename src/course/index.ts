/**
 * The course: the lessons in `docs/course/`, and the check of a solution.
 *
 * @module
 */
export { type CheckedLesson, checkFolder, type LessonCheck } from './check.js';
export { findLesson, type Lesson, readLessons, startLesson } from './lessons.js';
