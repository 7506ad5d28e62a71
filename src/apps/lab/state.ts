/**
 * The state of the page, as signals. `controller.ts` changes it; the panes read it.
 *
 * @module
 */
import { computed, signal } from '@preact/signals';
import type {
  Built,
  CheckResult,
  DriveBytes,
  ExitRow,
  ExitTimeline,
  Explanation,
  GuestEnd,
  Look,
  MachineSpec,
  MadeInWorker,
  NotBuilt,
  Progress,
  SourcePlace,
  TextFile,
} from '../../browser/index.js';
import { blank, type Catalogue, type Project } from './projects.js';

export type Complaint = NotBuilt['complaints'][number];

export type Status = 'starting' | 'ready' | 'running' | 'stopped' | 'ended' | 'failed';

export const catalogue = signal<Catalogue | undefined>(undefined);
export const project = signal<Project>(blank);
/** The edited files. */
export const files = signal<readonly TextFile[]>(blank.files);
export const spec = signal<MachineSpec>(blank.spec);
/** The file that the editor shows. */
export const shown = signal(0);
/** Lines of the first file, sorted. */
export const breakpoints = signal<readonly number[]>([]);
export const breakpointProblem = signal<string | undefined>(undefined);

export const status = signal<Status>('starting');
/** Why the page cannot work: shown instead of the page. */
export const failure = signal<{ title: string; text: string } | undefined>(undefined);
export const complaints = signal<readonly Complaint[]>([]);
export const built = signal<Built | undefined>(undefined);
/** The sources have changed since the machine was made. */
export const stale = signal(true);

export const made = signal<MadeInWorker | undefined>(undefined);
export const look = signal<Look | undefined>(undefined);
/** The registers before the last move. */
export const before = signal<Readonly<Record<string, bigint>>>({});
/** The memory that was shown before the last move, and where. */
export const memoryBefore = signal<{ address: bigint; bytes: Uint8Array } | undefined>(undefined);
export const progress = signal<Progress | undefined>(undefined);
export const end = signal<GuestEnd | undefined>(undefined);
export const why = signal<{ text: string; explanation: Explanation; line?: SourcePlace } | undefined>(
  undefined,
);
export const timeline = signal<ExitTimeline | undefined>(undefined);
/** The part of the guest's time that the timeline shows; undefined for all of it. */
export const span = signal<{ from: number; to: number } | undefined>(undefined);
export const exits = signal<readonly ExitRow[]>([]);
/** The number of the first exit of the list. */
export const exitsFrom = signal(1);
export const halted = signal('');
/** How often the guest has moved and stopped again. */
export const moves = signal(0);

export const memoryAt = signal('0x0');
/** What the address of the shown memory means. */
export const memorySpace = signal<'linear' | 'physical'>('linear');
export const watched = signal<readonly string[]>([]);

export const checking = signal(false);
export const checked = signal<
  { results: readonly LessonResult[]; end: CheckResult['end']; why?: string } | undefined
>(undefined);
/** Lessons that have been passed, by their ids. */
export const passed = signal<Readonly<Record<string, number>>>({});

/** One line of a lesson's check. */
export interface LessonResult {
  readonly ok: boolean;
  readonly text: string;
  readonly missing: string;
  readonly found: string;
}

export const screenSize = signal<{ width: number; height: number } | undefined>(undefined);
/** The screen's text in text modes, for users who do not see the picture. */
export const screenText = signal('');
/** The screen has changed since it was last shown. */
export const screenIsNew = signal(false);

export const busy = computed(() => status.value === 'running' || status.value === 'starting');

/** How many machines there have been: a new one has a new mouse. */
export const machines = signal(0);
/** What the guest has: a PS/2 mouse that it has switched on, or a tablet. */
export const guestMouse = signal<'none' | 'mouse' | 'tablet'>('none');

/** An image that was dropped on the page: it runs instead of the sources. */
export const dropped = signal<Uint8Array | undefined>(undefined);
/** The first files of a Linux kernel that was dropped. */
export const initrd = signal<Uint8Array | undefined>(undefined);
/** The name of the kernel that the computer behind the page offers. */
export const hostLinux = signal<string | undefined>(undefined);
/** Disks that were dropped on the page. */
export const drives = signal<readonly DriveBytes[]>([]);

/** The guest has run. */
export const instructionsRun = () => (progress.value?.instructions ?? 0) > 0;
