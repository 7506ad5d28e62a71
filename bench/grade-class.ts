/**
 * A class that hands in lesson 5: right, wrong, endless, crashing and hostile sources.
 *
 * @module
 */
import path from 'node:path';
import { type Exercise, readExercise, readSolution, readStart, readWrong } from '../src/exercises/index.js';
import type { Submission } from '../src/grading/index.js';

export interface Class {
  readonly exercise: Exercise;
  readonly submissions: readonly Submission[];
}

/** @param contents how many of the submissions differ: students share solutions */
export function makeClass(root: string, students: number, contents: number): Class {
  const exercise = readExercise(path.join(root, 'docs/course/05-interrupts'));
  const text = (files: ReadonlyMap<string, Uint8Array>) => Buffer.from(files.get('kernel.S')!).toString();
  const right = text(readSolution(exercise));
  const others = [
    text(readStart(exercise)),
    ...readWrong(exercise).map(({ files }) => text(files)),
    '.code16\n.globl _start\n_start: jmp _start\n',
    ".code16\n.globl _start\n_start: mov $'x', %al\n1: out %al, $0xe9\njmp 1b\n",
    '.code16\n.globl _start\n_start: lidt 0x700\nint $3\n',
    '.code16\n_start: movv $1, %ax\n',
    '.code16\n.globl _start\n_start: .incbin "/etc/passwd"\n',
  ];
  // Most of a class hands in a solution that passes.
  const sources = Array.from({ length: contents }, (_, i) => {
    const source = i % 10 < 6 ? right : others[Math.floor(i / 10) % others.length]!;
    return new Map([['kernel.S', Buffer.from(`${source}\n// ${i}\n`)]]);
  });
  const submissions = Array.from({ length: students }, (_, i) => ({
    id: `student-${String(i).padStart(5, '0')}`,
    load: () => sources[i % contents]!,
  }));
  return { exercise, submissions };
}
