import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { asTyped, command } from '../../../command.js';
import { ConfigError } from '../../../errors.js';
import { newExercise, readExercise } from '../../../exercises/index.js';
import { checkExercise, packForGradescope, packForStudents, writeOutput } from '../../../grading/index.js';
import { printableText } from '../../../symbols/index.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { cacheFolder } from '../../frontend/grading-cache.js';
import { prepareOutput } from '../../frontend/output-file.js';
import { quoted } from '../../frontend/quoted.js';
import { styleFor } from '../../frontend/style.js';
import { parseDuration } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium exercise new list-sum                       an exercise to change
  $ terrarium exercise check list-sum                     the solution passes, each wrong one is refused
  $ terrarium exercise pack list-sum --students sum.zip   what students get
  $ terrarium exercise pack list-sum --gradescope autograder.zip
`;

export function exerciseCommand(): Command {
  const command = new Command('exercise')
    .description('Exercises of your own: makes one, checks it, packs it for a class.')
    .addHelpText('before', asTyped(examples.trimStart()));
  command
    .command('new')
    .description('Makes an example exercise: text, start, solution, wrong solutions and checks.')
    .argument('<folder>', 'a new folder')
    .action(make);
  command
    .command('check')
    .description('Runs the solution, the start files, and each wrong solution.')
    .argument('[folder]', 'default: the current folder', '.')
    .option(
      '--patience <time>',
      'wall-clock time after which a check counts as hanging',
      parseDuration,
      60_000,
    )
    .action(check);
  command
    .command('pack')
    .description('Packs an exercise, without its solutions.')
    .argument('[folder]', 'default: the current folder', '.')
    .option('--students <file.zip>', 'the text and the start files')
    .option('--gradescope <file.zip>', 'an autograder to upload')
    .action(pack);
  return command;
}

function make(folder: string): void {
  newExercise(folder);
  process.stdout.write(
    `${folder}: an exercise with a text, a start, a solution, wrong solutions and checks\n\nCheck: ${command(`exercise check ${quoted(folder)}`)}\n`,
  );
}

async function check(folder: string, { patience }: { patience: number }): Promise<void> {
  const exercise = readExercise(folder);
  const style = styleFor(process.stdout);
  const findings = await checkExercise(exercise, {
    jobs: Math.min(availableParallelism(), 4),
    cache: cacheFolder(),
    patienceMs: patience,
  });
  for (const { name, ok, says } of findings)
    process.stdout.write(
      `${ok ? style.green('✓') : style.red('✗')} ${printableText(name)}: ${printableText(says)}\n`,
    );
  const wrong = findings.filter(({ ok }) => !ok).length;
  process.stdout.write(
    wrong === 0
      ? `\n${style.green('Done.')} ${exercise.points} points\n`
      : `\n${wrong} of ${findings.length} are not as they must be\n`,
  );
  process.exitCode = wrong === 0 ? ExitStatus.ok : ExitStatus.expectationFailed;
}

function pack(folder: string, { students, gradescope }: { students?: string; gradescope?: string }): void {
  const exercise = readExercise(folder);
  prepareOutput('--students', students);
  prepareOutput('--gradescope', gradescope);
  if (students === undefined && gradescope === undefined)
    throw new ConfigError(
      'exercise pack: the target is missing',
      'add --students FILE.zip or --gradescope FILE.zip',
    );
  if (students !== undefined) writeOutput(students, packForStudents(exercise));
  if (gradescope !== undefined) writeOutput(gradescope, packForGradescope(exercise));
  for (const file of [students, gradescope])
    if (file !== undefined) process.stderr.write(`terrarium: written to ${path.normalize(file)}\n`);
}
