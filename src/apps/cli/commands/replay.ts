import { Command } from 'commander';
import { asTyped, command } from '../../../command.js';
import { ConfigError, TerrariumError } from '../../../errors.js';
import { canRunHere, type HostedOptions, hostHere, hostMachine } from '../../../runtime/index.js';
import { hostFields } from '../../../terra/index.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { addFieldOptions, type MachineFlags, specOf } from '../../frontend/machine-options.js';
import { quoted } from '../../frontend/quoted.js';
import { say, standardOutput } from '../../frontend/standard-output.js';
import { digestOf, readTerra, requireNamed } from '../../frontend/terra-file.js';
import { compare } from './replay-against.js';

const examples = `
Examples:
  $ terrarium run guests/snake --record game.terra     record a run
  $ terrarium replay game.terra                        the same run again, to the bit
  $ terrarium replay good.terra --against bad.terra    where two runs part, and why
  $ terrarium run --from game.terra --trace            with all that \`run\` can show
`;

const LINE_FEED = 10;

/** What a loader placed in memory, which the recording holds. */
const placed: ReadonlySet<string> = new Set(['initrds', 'modules']);

/** A replayed run that was another than the recorded one. */
class DivergedError extends TerrariumError {
  constructor(file: string, what: string) {
    super('EREPLAY', `${file}: the run was another than when it was recorded: ${what}`, {
      hint: 'was it recorded by another version of Terrarium, with other disks or devices?',
    });
  }
}

export function replayCommand(): Command {
  const replaying = new Command('replay')
    .usage('<file> [options]')
    .description('Repeats a recorded run on the software CPU, and checks that it is the same to the bit.')
    .argument('<file>', 'what run --record made');
  return addFieldOptions(replaying, [...hostFields.filter((name) => !placed.has(name)), 'translate'])
    .option(
      '--against <file>',
      'another recording: the first moment at which they differ, and where that comes from',
    )
    .option('--quiet', 'do not say how the run ended')
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(replay);
}

async function replay(file: string, flags: MachineFlags & { quiet?: true; against?: string }): Promise<void> {
  const terra = await readTerra(file);
  const { spec, image, state, record, end } = terra;
  if (record === undefined || end === undefined)
    throw new ConfigError(
      `${file} is a snapshot, and no recording`,
      `go on from it: ${command(`run --from ${quoted(file)}`)}`,
    );
  const asked = specOf(flags);
  requireNamed(terra, asked, file);
  if (flags.against !== undefined) {
    const other = await readTerra(flags.against);
    requireNamed(other, asked, flags.against);
    compare({ file, terra }, { file: flags.against, terra: other }, asked);
    return;
  }
  const config: HostedOptions = {
    ...{ ...spec, ...asked, image, engine: 'soft', clock: 'instructions' },
    ...{ from: state, replay: record },
  };
  await using machine = await (canRunHere(config) ? hostHere(config) : hostMachine(config));
  const before = (await machine.save()).instructions ?? 0;
  let last = LINE_FEED;
  machine.onOutput((bytes) => {
    last = bytes.at(-1) ?? last;
    return standardOutput.write(bytes);
  });
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
  process.exitCode = ExitStatus.ok;
  if (flags.quiet) return;
  if (last !== LINE_FEED) say('\n');
  const inputs = record.events.length;
  say(
    `the same run: ${left.toLocaleString('en')} instructions, ${inputs} input${inputs === 1 ? '' : 's'}; ${end.kind}: ${end.reason}\n`,
  );
}
