import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import { ConfigError } from '../../../errors.js';
import { listMachines, removeMachine } from '../../../manage/index.js';
import { forEach } from './stop.js';

const examples = `
Examples:
  $ terrarium rm web                  forget a machine that has ended, and its console
  $ terrarium rm --all                all that have ended
`;

export function rmCommand(): Command {
  return new Command('rm')
    .description('Forgets machines that have ended: how they did, and what is kept of their consoles.')
    .argument('[names...]')
    .option('-a, --all', 'all that have ended')
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(async (given: string[], { all }: { all?: true }) => {
      if (given.length === 0 && !all) throw new ConfigError('which machine?', 'name one, or say --all');
      const ended = async () => (await listMachines({ all: true })).filter(({ state }) => state === 'ended');
      const names = all ? (await ended()).map(({ name }) => name) : given;
      await forEach(names, (name) => removeMachine(name));
    });
}
