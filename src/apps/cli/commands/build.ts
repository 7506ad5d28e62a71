import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import { TerrariumError } from '../../../errors.js';
import { buildImage, SOURCE_ENDINGS } from '../../../runtime/index.js';
import { addBuildOptions, type BuildFlags, buildOf } from '../../frontend/build-options.js';
import { addMachineOptions, type MachineFlags, specOf } from '../../frontend/machine-options.js';
import { requireWritable } from '../../frontend/output-file.js';

const examples = `
Examples:
  $ terrarium build kernel.c -o kernel.elf            compiled as by run, for other computers and other tools
  $ terrarium build boot.asm -o boot.img
  $ terrarium build main.c util.c boot.S -o kernel.elf --cflags '-O0'
  $ terrarium build my-kernel -o kernel.elf           a folder: as its guest.json says
  $ terrarium build boot.S -o boot.bin --symbols boot.elf   a flat image, and its names and lines for gdb
`;

interface Flags extends MachineFlags, BuildFlags {
  output: string;
  symbols?: string;
}

export function buildCommand(): Command {
  const command = new Command('build')
    .usage('<sources… | folder> -o <file> [options]')
    .description('Compiles sources into an image file.')
    .argument('<sources...>', `sources (${SOURCE_ENDINGS}) or a folder`)
    .requiredOption('-o, --output <file>', 'where the image goes')
    .option('--symbols <file>', 'the same code as an ELF file, for gdb: a flat image can hold no symbols');
  return addBuildOptions(addMachineOptions(command))
    .addHelpText('before', asTyped(examples.trimStart()))
    .action((files: string[], flags: Flags) => {
      const { output, symbols } = flags;
      requireWritable('--output', output, files);
      if (symbols !== undefined) requireWritable('--symbols', symbols, files);
      const build = (file: string, more = {}) =>
        buildImage(files, specOf(flags), { ...buildOf(flags), ...more, keptIn: path.dirname(file) });
      const { bytes, warnings } = build(output);
      if (warnings !== '') process.stderr.write(`${warnings.trimEnd()}\n`);
      write(output, bytes);
      if (symbols !== undefined) write(symbols, build(symbols, { symbols: true }).bytes);
    });
}

function write(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (cause) {
    throw new TerrariumError('EOUTPUT', `${file} could not be written: ${(cause as Error).message}`, {
      cause,
    });
  }
  process.stderr.write(`terrarium: ${path.normalize(file)}: ${bytes.length} bytes\n`);
}
