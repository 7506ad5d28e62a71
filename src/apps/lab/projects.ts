/**
 * The open project: its files, its machine, and its origin.
 *
 * @module
 */
import type { MachineSpec, SourceChange, TextFile } from '../../browser/index.js';

/** A project: the first file is assembled. */
export interface Project {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly files: readonly TextFile[];
  readonly spec: MachineSpec;
  /** The address of an image that is already built, where the source is not for the assembler. */
  readonly image?: string;
  readonly keys?: string;
  readonly input?: string;
  readonly lesson?: Lesson;
}

export interface LessonCheck {
  readonly expect: string;
  readonly missing: string;
}

/** A run of a lesson's check with differences, in which hard-coded results fail. */
export interface FurtherRun {
  readonly input?: string;
  /** Fields of the machine. */
  readonly guest?: MachineSpec;
  /** The options of the lesson's device. */
  readonly options?: unknown;
  /** The replacement in the student's sources. */
  readonly change?: SourceChange;
  readonly checks: readonly LessonCheck[];
}

/** A lesson of the course. */
export interface Lesson {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly goal: string;
  /** Its text as HTML, made when the lab was built. */
  readonly page: string;
  readonly files: readonly TextFile[];
  readonly main: string;
  readonly spec: MachineSpec;
  /** Its source is in C. */
  readonly needsCompiler: boolean;
  readonly device?: string;
  readonly checks: readonly LessonCheck[];
  readonly source?: readonly { readonly matches: string; readonly missing: string }[];
  readonly also?: readonly FurtherRun[];
  readonly input?: string;
  readonly keys?: string;
}

export interface Catalogue {
  readonly examples: readonly Project[];
  readonly lessons: readonly Lesson[];
  /** Headers that all sources can include. */
  readonly headers: readonly TextFile[];
}

export async function loadCatalogue(): Promise<Catalogue> {
  const response = await fetch('catalogue.json');
  if (!response.ok)
    throw new Error(`the catalogue could not be loaded: ${response.status} ${response.statusText}`);
  return (await response.json()) as Catalogue;
}

/** A lesson as a project to begin with. */
export function projectOf(lesson: Lesson): Project {
  const main = lesson.files.filter(({ name }) => name === lesson.main);
  const rest = lesson.files.filter(({ name }) => name !== lesson.main);
  return {
    id: `lesson/${lesson.id}`,
    title: `${lesson.number}. ${lesson.title}`,
    summary: lesson.goal,
    files: [...main, ...rest],
    spec: lesson.spec,
    lesson,
    ...(lesson.keys && { keys: lesson.keys }),
    ...(lesson.input && { input: lesson.input }),
  };
}

/** The source of an empty project. */
export const blank: Project = {
  id: 'own',
  title: 'my kernel',
  summary: 'a kernel of your own',
  files: [
    {
      name: 'kernel.S',
      text: `// A kernel of your own: change it, and press Run.

.code16
.globl _start
_start:
        mov     $message, %si
        mov     $0xe9, %dx              // the debug console
1:      lodsb
        test    %al, %al
        jz      2f
        out     %al, %dx                // an exit: see it in the timeline
        jmp     1b
2:      hlt

message:
        .asciz  "Hello from 16 bits!\\n"
`,
    },
  ],
  spec: { mode: 'real', memory: 1048576 },
};

/** True for sources that the assembler reads. */
export function isAssembler(name: string): boolean {
  return /\.(S|s|asm|nasm|inc)$/.test(name);
}
