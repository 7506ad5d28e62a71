import { readFileSync, statSync } from 'node:fs';
import { Command } from 'commander';
import { asTyped, command } from '../../../command.js';
import type { MachineSpec } from '../../../config/index.js';
import { ConfigError, isTerrariumError, TerrariumError } from '../../../errors.js';
import { checkQueueUrl } from '../../../grading/index.js';
import {
  canRunHere,
  type HostedMachine,
  type HostedOptions,
  hostHere,
  hostMachine,
} from '../../../runtime/index.js';
import { hostFields, type Terra } from '../../../terra/index.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { addFieldOptions, type MachineFlags, specOf } from '../../frontend/machine-options.js';
import { quoted } from '../../frontend/quoted.js';
import { say, standardOutput } from '../../frontend/standard-output.js';
import { digestOf, readTerra, requireNamed } from '../../frontend/terra-file.js';
import { byQueue } from './queued.js';
import { compare } from './replay-against.js';

const examples = `
Examples:
  $ terrarium run guests/snake --record game.terra     record a run
  $ terrarium replay game.terra                        the same run again, to the bit
  $ terrarium replay crashes/*.terra                   each of them, a line a file
  $ terrarium replay crashes/*.terra --queue redis://lab.example:6379   by \`terrarium worker\` on other machines
  $ terrarium replay good.terra --against bad.terra    where two runs part, and why
  $ terrarium run --from game.terra --trace            with all that \`run\` can show
`;

const LINE_FEED = 10;

/** Bytes of a recording that goes through Redis. */
const MOST_QUEUED = 64 * 2 ** 20;

/** What a loader placed in memory, which the recording holds. */
const placed: ReadonlySet<string> = new Set(['initrds', 'modules']);

/** A recording, and not a snapshot alone. */
type Recorded = Terra & Required<Pick<Terra, 'record' | 'end'>>;

/** A replayed run that was another than the recorded one. */
class DivergedError extends TerrariumError {
  constructor(file: string, what: string) {
    super('EREPLAY', `${file}: the run differs from its recording: ${what}`, {
      hint: 'was it recorded with another version of Terrarium, or with other disks or devices?',
    });
  }
}

export function replayCommand(): Command {
  const replaying = new Command('replay')
    .usage('<files...> [options]')
    .description('Repeats a recorded run on the software CPU, and checks that it is the same to the bit.')
    .argument('<files...>', 'what run --record made');
  return addFieldOptions(replaying, [...hostFields.filter((name) => !placed.has(name)), 'translate'])
    .option(
      '--against <file>',
      'another recording: shows the first moment at which they differ, and the reason',
    )
    .option('--queue <url>', 'let `terrarium worker` repeat them, on other machines: redis://HOST:6379')
    .option('--quiet', 'do not say how the run ended')
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(replay);
}

interface Flags extends MachineFlags {
  quiet?: true;
  against?: string;
  queue?: string;
}

async function replay(files: readonly string[], flags: Flags): Promise<void> {
  const { against, queue } = flags;
  const [file] = files as [string];
  const asked = specOf(flags);
  if (against !== undefined && (files.length > 1 || queue !== undefined))
    throw new ConfigError(
      '--against compares one recording with another',
      `${command('replay A --against B')}`,
    );
  if (against !== undefined) {
    const [one, other] = [await readRecording(file, asked), await readRecording(against, asked)];
    compare({ file, terra: one }, { file: against, terra: other }, asked);
  } else if (queue !== undefined) await replayByQueue(queue, files, asked);
  else if (files.length > 1) await replayAll(files, asked);
  else await replayOne(file, asked, flags.quiet === true);
}

/** A recording whose files of this host are named. @throws ConfigError */
async function readRecording(file: string, asked: MachineSpec): Promise<Recorded> {
  const terra = await readTerra(file);
  const { record, end } = terra;
  if (record === undefined || end === undefined)
    throw new ConfigError(
      `${file} is a snapshot, not a recording`,
      `continue from it: ${command(`run --from ${quoted(file)}`)}`,
    );
  requireNamed(terra, asked, file);
  return { ...terra, record, end };
}

async function replayOne(file: string, asked: MachineSpec, quiet: boolean): Promise<void> {
  let last = LINE_FEED;
  const same = await repeat(file, await readRecording(file, asked), asked, (bytes) => {
    last = bytes.at(-1) ?? last;
    return standardOutput.write(bytes);
  });
  process.exitCode = ExitStatus.ok;
  if (quiet) return;
  if (last !== LINE_FEED) say('\n');
  say(`${same}\n`);
}

/** A line for each; what the guests print is left out. */
async function replayAll(files: readonly string[], asked: MachineSpec): Promise<void> {
  for (const file of files) {
    try {
      const same = await repeat(file, await readRecording(file, asked), asked, () => {});
      standardOutput.write(`${file}: ${same}\n`);
    } catch (error) {
      if (!isTerrariumError(error)) throw error;
      process.exitCode = ExitStatus.expectationFailed;
      standardOutput.write(`${error.message.startsWith(file) ? '' : `${file}: `}${error.message}\n`);
    }
  }
}

/** The same by workers, which have this host's files as little as its images. */
async function replayByQueue(url: string, files: readonly string[], asked: MachineSpec): Promise<void> {
  if (Object.keys(asked).length > 0)
    throw new ConfigError(
      'workers have none of this host’s files, and take no options of the machine',
      'leave --queue out',
    );
  checkQueueUrl(url);
  for (const file of files) {
    await readRecording(file, {});
    const { size } = statSync(file);
    if (size > MOST_QUEUED)
      throw new ConfigError(
        `${file}: ${size} bytes are too many for a queue, which takes ${MOST_QUEUED}`,
        'leave --queue out',
      );
  }
  const results = await byQueue(url, files.length, (index) => ({
    replay: { recording: readFileSync(files[index]!).toString('base64') },
  }));
  for (const [index, result] of results.entries()) {
    const ok = 'status' in result && result.status === ExitStatus.ok;
    const [said = ''] = 'problem' in result ? [result.problem] : result.stderr.trim().split('\n');
    standardOutput.write(`${files[index]}: ${said.replace(/^terrarium: (?:the recording: )?/, '')}\n`);
    if (!ok) process.exitCode = ExitStatus.expectationFailed;
  }
}

/** Repeats a recorded run. @returns what it was, in words @throws DivergedError */
async function repeat(
  file: string,
  { spec, image, state, record, end }: Recorded,
  asked: MachineSpec,
  output: Parameters<HostedMachine['onOutput']>[0],
): Promise<string> {
  const config: HostedOptions = {
    ...{ ...spec, ...asked, image, engine: 'soft', clock: 'instructions' },
    ...{ from: state, replay: record },
  };
  await using machine = await (canRunHere(config) ? hostHere(config) : hostMachine(config));
  const before = (await machine.save()).instructions ?? 0;
  machine.onOutput(output);
  const left = end.instructions - before;
  const outcome = left > 0 ? await machine.run({ maxInstructions: left }) : undefined;
  const { instructions } = await machine.save();
  if (outcome !== undefined && instructions !== end.instructions)
    throw new DivergedError(
      file,
      `it ended after ${instructions} instructions, not ${end.instructions} (${outcome.reason})`,
    );
  if (outcome !== undefined && digestOf(machine, outcome) !== end.digest)
    throw new DivergedError(file, `registers or memory differ after ${instructions} instructions`);
  const inputs = record.events.length;
  return `the same run: ${left.toLocaleString('en')} instructions, ${inputs} input${inputs === 1 ? '' : 's'}; ${end.kind}: ${end.reason}`;
}
