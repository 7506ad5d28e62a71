/** The command line with all of its commands. */
import { type Commands, runProgram } from './program.js';

const commands: Commands = {
  run: async () => (await import('./commands/run/run.js')).runCommand(),
  debug: async () => (await import('./commands/debug.js')).debugCommand(),
  build: async () => (await import('./commands/build.js')).buildCommand(),
  new: async () => (await import('./commands/new.js')).newCommand(),
  dap: async () => (await import('./commands/dap.js')).dapCommand(),
  course: async () => (await import('./commands/course.js')).courseCommand(),
  exercise: async () => (await import('./commands/exercise.js')).exerciseCommand(),
  grade: async () => (await import('./commands/grade.js')).gradeCommand(),
  worker: async () => (await import('./commands/worker.js')).workerCommand(),
  ps: async () => (await import('./commands/ps.js')).psCommand(),
  attach: async () => (await import('./commands/attach.js')).attachCommand(),
  logs: async () => (await import('./commands/logs.js')).logsCommand(),
  trace: async () => (await import('./commands/trace.js')).traceCommand(),
  replay: async () => (await import('./commands/replay.js')).replayCommand(),
  stat: async () => (await import('./commands/stat.js')).statCommand(),
  snapshot: async () => (await import('./commands/snapshot.js')).snapshotCommand(),
  stop: async () => (await import('./commands/stop.js')).stopCommand(),
  rm: async () => (await import('./commands/rm.js')).rmCommand(),
  bench: async () => (await import('./commands/bench/bench.js')).benchCommand(),
  verify: async () => (await import('./commands/verify.js')).verifyCommand(),
  lab: async () => (await import('./commands/lab.js')).labCommand(),
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
};

export const main = (argv: readonly string[]): Promise<void> => runProgram(argv, commands);
