import path from 'node:path';
import { Command } from 'commander';
import { asTyped, command } from '../../../command.js';
import { ConfigError } from '../../../errors.js';
import { kernelNames } from '../../../inspect/index.js';
import { withVga } from '../../../pc/index.js';
import { hostMachine, loadImage, SOURCE_ENDINGS } from '../../../runtime/index.js';
import { SymbolTable } from '../../../symbols/index.js';
import { addBuildOptions, type BuildFlags, buildOf } from '../../frontend/build-options.js';
import { addMachineOptions, type MachineFlags, specOf } from '../../frontend/machine-options.js';
import { loadKept } from '../../frontend/terra-file.js';
import { typedAtStart, typedLater } from '../../frontend/typed-text.js';
import { debugInTerminal } from '../../tui/app.js';

const examples = `
Examples:
  $ terrarium debug kernel.S                  assemble it, and stop before its first instruction
  $ terrarium debug kernel.c                  step by lines of C: press l
  $ terrarium debug guests/tick-long --engine soft
  $ terrarium debug disk.img --load 0x7c00 --mode real
  $ terrarium debug --from game.terra         a file of \`run --save\` or \`run --record\`
  $ terrarium debug guests/snake              with its screen: 6 and z show it alone, i sends keys to it
`;

const keys = `
Keys:
  s step   n next   f finish   c continue   l line   L line into   t to cursor   b breakpoint   w watch   e evaluate
  g memory   d code   a callers   i input   y why   r restart   z zoom   ? all of them   q quit

Exit status:
  0 quit by the user; 2 usage or image error, or no terminal; 4 engine error; 128 and the number of the signal that ended it.
`;

export function debugCommand(): Command {
  const command = new Command('debug')
    .usage('<image | sources… | folder> [options]')
    .description('Debugs a guest in this terminal: registers, code, stack, memory, console, screen, exits.')
    .argument('[image...]', `flat image, ELF, sources (${SOURCE_ENDINGS}) or folder`);
  return addBuildOptions(addMachineOptions(command))
    .option('--from <file>', 'begin with a snapshot, or at the start of a recording: c runs to its end')
    .addHelpText('before', asTyped(examples.trimStart()))
    .addHelpText('after', keys)
    .action(debug);
}

async function debug(files: string[], flags: MachineFlags & BuildFlags & { from?: string }): Promise<void> {
  requireTerminal();
  // Code that follows its source line by line, unless the user's own flags say otherwise.
  const how = { ...buildOf(flags), debug: true };
  const kept = flags.from === undefined ? undefined : await loadKept(files, flags.from, specOf(flags));
  const loaded = kept?.loaded ?? loadImage(files, specOf(flags), how);
  const { image, file, spec: asked, warnings, symbols } = loaded;
  const spec = withVga(loaded);
  if (spec.simvirtio === 'polling')
    throw new ConfigError('--simvirtio polling cannot be used with debug', 'take --simvirtio exits');
  if (warnings !== '') process.stderr.write(`${warnings.trimEnd()}\n`);
  const named = symbols?.() ?? image;
  await using machine = await hostMachine({
    image,
    ...spec,
    // A person watches a guest with a screen, and plays: its sleeps take real time.
    ...(asked.vga === true && spec.clock === undefined && { clock: 'wall' as const }),
    symbols: named,
    ...kept?.observed,
    debug: true,
    frames: asked.vga === true,
    ...typedLater(flags.type),
    // Each access is its own exit, with a description, as with --trace.
    coalesce: false,
    trace: { format: 'ndjson' },
  });
  const typed = typedAtStart(flags.type);
  process.exitCode = await debugInTerminal({
    machine,
    symbols: new SymbolTable(
      named,
      kernelNames(() => machine.memory),
    ),
    image: path.basename(path.resolve(files[0] ?? file)),
    folder: path.dirname(path.resolve(file)),
    hasScreen: asked.vga === true,
    ...(spec.syntax && { syntax: spec.syntax }),
    ...(typed !== undefined && { type: typed }),
  });
}

function requireTerminal(): void {
  const missing = !process.stdin.isTTY ? 'stdin' : !process.stdout.isTTY ? 'stdout' : undefined;
  if (missing !== undefined)
    throw new ConfigError(
      `debug draws in a terminal, and ${missing} is not a terminal`,
      `run it in a terminal; for scripts there is ${command('run --gdb')}`,
    );
  if (process.env.TERM === 'dumb')
    throw new ConfigError(
      'debug draws in a terminal, and this one says that it cannot move its cursor (TERM=dumb)',
      `run it in another terminal; for scripts there is ${command('run --gdb')}`,
    );
}
