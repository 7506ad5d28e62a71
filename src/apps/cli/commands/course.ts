import path from 'node:path';
import { Command, Option } from 'commander';
import { asTyped, command } from '../../../command.js';
import { type EngineName, engineNames } from '../../../config/index.js';
import { checkFolder, findLesson, type Lesson, readLessons, startLesson } from '../../../course/index.js';
import { missingCompiler } from '../../frontend/build-options.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { printExplanation } from '../../frontend/outcome-text.js';
import { quoted } from '../../frontend/quoted.js';
import { styleFor } from '../../frontend/style.js';
import { parseCount } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium course                  the lessons
  $ terrarium course start 1          begin one, in the folder lesson-01
  $ terrarium course check lesson-01  run your kernel, and check its results
`;

export function courseCommand(): Command {
  const command = new Command('course')
    .description(
      'Fourteen lessons, from the first HLT to a boot sector that reads its disk, with tasks that are checked.',
    )
    .addHelpText('before', asTyped(examples.trimStart()))
    .usage('[start | check] [options]')
    .argument('[words...]')
    .action(([word]: string[], _: object, called: Command) => {
      if (word !== undefined) return unknown(called, word);
      list();
    });
  command
    .command('start')
    .description('Copies a lesson’s start files into your folder.')
    .argument('<lesson>', 'its number', parseCount)
    .argument('[folder]', 'default: lesson-NUMBER')
    .action(start);
  command
    .command('check')
    .description('Compiles and runs your kernel, and says what is missing.')
    .argument('[folder]', 'default: the current folder', '.')
    .addOption(new Option('--engine <name>', 'what runs the code').choices(engineNames).default('auto'))
    .action(check);
  return command;
}

/** A word that is not one of the subcommands. */
function unknown(called: Command, word: string): never {
  const near = ['start', 'check'].find(
    (name) => [...name].filter((letter) => word.includes(letter)).length >= 4,
  );
  called.error(`unknown command '${word}'${near === undefined ? '' : `\n(Did you mean ${near}?)`}`, {
    exitCode: 2,
  });
}

function list(): void {
  const style = styleFor(process.stdout);
  for (const { number, title, goal } of readLessons())
    process.stdout.write(`${String(number).padStart(2)}  ${style.bold(title.padEnd(24))} ${goal}\n`);
  process.stdout.write(`\nBegin with: ${command('course start 1')}\n`);
}

function start(number: number, given: string | undefined): void {
  const lesson = findLesson(number);
  const folder = given ?? `lesson-${String(number).padStart(2, '0')}`;
  const files = startLesson(lesson, folder);
  const style = styleFor(process.stdout);
  const page = path.relative('.', path.join(lesson.folder, 'README.md'));
  const words = runCommand(lesson, folder);
  process.stdout.write(`${style.bold(`Lesson ${number}: ${lesson.title}`)}\n${lesson.goal}\n\n`);
  for (const file of files) process.stdout.write(`  ${path.join(folder, file)}\n`);
  const missing = missingCompiler('c64');
  if (missing !== undefined) process.stderr.write(`terrarium: ${missing}\n`);
  process.stdout.write(
    `\nRead:  ${page}\nRun:   ${command(words)}\nCheck: ${command(`course check ${quoted(folder)}`)}\n`,
  );
}

/** The command that runs the lesson's guest by hand: with its device, and without coalescing in lessons that count exits. */
function runCommand({ device, checks }: Lesson, folder: string): string {
  const withDevice = device === undefined ? '' : ` --device ${quoted(path.join(folder, device))}`;
  const counted = checks.some(({ expect }) => expect.startsWith('exits')) ? ' --no-coalesce' : '';
  return `run ${quoted(folder)}${withDevice}${counted}`;
}

async function check(folder: string, { engine }: { engine: EngineName }): Promise<void> {
  const style = styleFor(process.stdout);
  const { lesson, outcome, checks, warnings, why } = await checkFolder(folder, engine);
  if (warnings !== '') process.stderr.write(`${warnings}\n`);
  process.stdout.write(
    `${style.bold(`Lesson ${lesson.number}: ${lesson.title}`)}\n${style.dim(`${outcome.reason}, after ${outcome.exits} exit${outcome.exits === 1 ? '' : 's'} on ${outcome.engine}`)}\n\n`,
  );
  for (const { ok, expect, expected, found, missing } of checks) {
    process.stdout.write(`${ok ? style.green('✓') : style.red('✗')} ${expect}\n`);
    if (!ok) process.stdout.write(`    ${missing}\n    expected ${expected}, found ${found}\n`);
  }
  if (why !== undefined) printExplanation(why);
  const held = checks.every(({ ok }) => ok);
  const next = readLessons().find(({ number }) => number === lesson.number + 1);
  const onward =
    next === undefined ? 'That was the last lesson.' : `Next: ${command(`course start ${next.number}`)}`;
  process.stdout.write(`\n${held ? `${style.green('Done.')} ${onward}` : 'Not yet.'}\n`);
  process.exitCode = held ? ExitStatus.ok : ExitStatus.expectationFailed;
}
