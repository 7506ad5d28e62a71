// How the test files share the machine; scripts/run-tests.mjs reads it. Files that are not named under `alone` run some
// at a time.

/** Files that run alone, and why: they compare a time with a limit, or change resources of other tests. */
export const alone = {
  'src/engine/kvm/api/signal.test.ts': 'measures when a timer interrupts the guest',
  'test/devices/interrupts.test.ts': 'measures the processor time of a guest that waits',
};

/**
 * Files that have their own process, and why; scripts/select-tests.mjs finds those that change or count resources of
 * the process.
 */
export const apart = {};

/** The longest, first: the one that starts last should be short, since the end waits for it. */
export const first = [
  'test/docs/docs.test.ts',
  'test/lab/lab.test.ts',
  'test/cli/grade-queue.test.ts',
  'test/docs/course.test.ts',
  'test/cli/exercise.test.ts',
  'test/cli/new.test.ts',
  'test/package/command.test.ts',
  'test/debug/gdb.test.ts',
  'test/docs/reference.test.ts',
  'test/manage/manage.test.ts',
  'test/tui/life.test.ts',
  'test/guests/run.test.ts',
  'test/firmware/strangers.test.ts',
  'src/assembler/peers.test.ts',
  'test/dap/dap.test.ts',
  'test/dap/dap-life.test.ts',
  'test/guests/mistakes.test.ts',
  'test/manage/manage-console.test.ts',
  'test/cli/screen.test.ts',
  'test/hostile/bad-input.test.ts',
];
