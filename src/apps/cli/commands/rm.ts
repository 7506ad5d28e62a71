import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import { listMachines, removeMachine } from '../../../manage/index.js';
import { forEach, requireNames } from './stop.js';

const examples = `
Examples:
  $ terrarium rm web                  remove a machine that has ended, and its console
  $ terrarium rm --all                all that have ended
`;

export function rmCommand(): Command {
  return new Command('rm')
    .description(
      'Removes the records of machines that have ended: the outcome, and the stored console output.',
    )
    .argument('[names...]')
    .option('-a, --all', 'all that have ended')
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(async (given: string[], { all }: { all?: true }) => {
      requireNames(given, all);
      const ended = async () => (await listMachines({ all: true })).filter(({ state }) => state === 'ended');
      const names = all ? (await ended()).map(({ name }) => name) : given;
      await forEach(names, (name) => removeMachine(name));
    });
}
