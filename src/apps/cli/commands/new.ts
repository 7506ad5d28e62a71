import { Command, InvalidArgumentError, Option } from 'commander';
import { asTyped } from '../../../command.js';
import {
  makeFromTemplate,
  type TemplateName,
  templateNames,
  templateOf,
  templateSummaries,
} from '../../../runtime/index.js';
import { missingCompiler } from '../../frontend/build-options.js';
import { quoted } from '../../frontend/quoted.js';
import { styleFor } from '../../frontend/style.js';

const examples = `
Examples:
  $ terrarium new my-kernel                    64-bit C, in a folder of that name
  $ terrarium new boot --template asm16        16-bit assembler
  $ terrarium new mine --template rust         64-bit Rust; also nasm, cpp, zig, os
  $ cd my-kernel && make                       run it
`;

export function newCommand(): Command {
  const width = Math.max(...templateNames.map((name) => name.length));
  const templates = templateNames
    .map((name) => `  ${name.padEnd(width)}  ${templateSummaries[name]}`)
    .join('\n');
  return new Command('new')
    .usage('<folder> [options]')
    .description('Makes a folder with a kernel that runs, builds and checks itself, as a start for your own.')
    .argument('<folder>')
    .addOption(
      new Option('-t, --template <name>', 'which kernel to begin with, or a language')
        .argParser(parseTemplate)
        .default('c64'),
    )
    .addHelpText('before', asTyped(examples.trimStart()))
    .addHelpText('after', `\nTemplates:\n${templates}\n`)
    .action((folder: string, { template }: { template: TemplateName }) => {
      const files = makeFromTemplate({ folder, template });
      const style = styleFor(process.stdout);
      process.stdout.write(`${style.bold(folder)}: ${templateSummaries[template]}\n`);
      for (const file of files) process.stdout.write(`  ${file}\n`);
      const missing = missingCompiler(template);
      if (missing !== undefined) process.stderr.write(`terrarium: ${missing}\n`);
      process.stdout.write(`\nNext: cd ${quoted(folder)} && make\n`);
    });
}

function parseTemplate(word: string): TemplateName {
  const template = templateOf(word);
  if (template !== undefined) return template;
  throw new InvalidArgumentError(`Allowed choices are ${templateNames.join(', ')}.`);
}
