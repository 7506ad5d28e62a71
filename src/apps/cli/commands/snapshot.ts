import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import { connectMachine } from '../../../manage/index.js';
import { requireWritable } from '../../frontend/output-file.js';
import { standardOutput } from '../../frontend/standard-output.js';

const examples = `
Examples:
  $ terrarium run guests/hello --name web --detach
  $ terrarium snapshot web web.terra               its whole state in a file; the guest continues
  $ terrarium run --from web.terra --engine soft   continue from there, on either engine
  $ terrarium debug --from web.terra --engine soft inspect it, backwards too
`;

export function snapshotCommand(): Command {
  return new Command('snapshot')
    .description(
      'Writes the state of a running machine to a file. The guest is stopped for some milliseconds, and continues.',
    )
    .argument('<name>', 'the name given with `run --name`')
    .argument('<file>', 'the file to write, usually .terra')
    .option('--quiet', 'do not print its size')
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(async (name: string, file: string, { quiet }: { quiet?: true }) => {
      requireWritable('snapshot', file);
      using machine = await connectMachine(name);
      const { bytes } = await machine.snapshot(file);
      if (!quiet) await standardOutput.write(`${file}: ${bytes.toLocaleString('en')} bytes\n`);
    });
}
