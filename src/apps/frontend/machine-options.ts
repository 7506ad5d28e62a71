/**
 * A machine's description as options of every command that runs a guest. Names, kinds and help come from `config/`.
 *
 * @module
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, Option } from 'commander';
import {
  type DeviceModule,
  type DiskFile,
  type FieldName,
  fieldNames,
  fieldOf,
  flag,
  isList,
  type Kind,
  type MachineSpec,
  optionWord,
} from '../../config/index.js';
import { type AssemblerName, assemblers } from '../../runtime/index.js';
import { addTyped, type TypedFlag } from './typed-text.js';
import { asArgument } from './values.js';

/** The options that commander has parsed, by their names, and the text to type at the start. */
export interface MachineFlags {
  type?: TypedFlag[];
  [word: string]: unknown;
}

/** Adds an option for each field that has one. */
export function addMachineOptions(command: Command): Command {
  return addFieldOptions(command, fieldNames).option(
    '--type <text>',
    "type on the guest's keyboard: 'dir\\n'; escapes \\n, \\t, \\b, \\e. 'x@3s', 'x@HLT', 'x@exit:1000': at that moment; 'root\\n@prints:login:': when the guest has printed that; may repeat",
    addTyped,
  );
}

/** The options of some fields: for a command whose machine is described elsewhere. */
export function addFieldOptions(command: Command, names: readonly FieldName[]): Command {
  for (const name of names) for (const option of optionsFor(name)) command.addOption(option);
  return command;
}

function optionsFor(name: FieldName): Option[] {
  const { kind, says, option, off, default: usual } = fieldOf(name);
  if (option === undefined) return [];
  const text = usual === undefined || off !== undefined ? '' : ` (default: ${kind.write(usual)})`;
  const shown = new Option(option, says + text);
  if (!option.includes('<')) {
    const opposite = new Option(option.replace('--', '--no-'), off ?? `not ${says}`);
    return off === undefined ? [shown, opposite.hideHelp()] : [shown.hideHelp(), opposite];
  }
  if (name === 'as') {
    // One option for both: the kind of a file, and the assembler of a source.
    const both = new Option(option, `${says}; of an assembler source: which assembler`);
    return [both.choices([...(kind.names ?? []), ...assemblers])];
  }
  if (kind.names !== undefined) return [shown.choices(kind.names)];
  return [shown.argParser(parserOf(kind))];
}

/** An option that may be repeated adds up to a list. */
function parserOf(kind: Kind<unknown>): (text: string, before: unknown) => unknown {
  if (!isList(kind)) return asArgument((text) => kind.parse(text));
  const item = asArgument((text) => kind.item.parse(text));
  return (text, before) => [...((before as unknown[] | undefined) ?? []), item(text)];
}

/**
 * The machine that the command line describes.
 * @param folder where the paths of modules begin. Default: the current folder
 */
export function specOf(flags: MachineFlags, folder = process.cwd()): MachineSpec {
  const spec: Record<string, unknown> = {};
  for (const name of fieldNames) {
    const word = optionWord(name);
    const said = word === undefined ? undefined : flags[camelCase(word)];
    if (said === undefined || (name === 'as' && isAssembler(said))) continue;
    const { kind } = fieldOf(name);
    spec[name] = kind === flag && typeof said === 'string' ? kind.parse(said) : said;
  }
  // A user without KVM sets the variable once, instead of an option with every command.
  const { TERRARIUM_ENGINE: engine = '' } = process.env;
  if (engine !== '' && (spec.engine === undefined || spec.engine === 'auto'))
    spec.engine = fieldOf('engine').kind.parse(engine);
  const { devices, hypercalls, disks, floppies, cdroms, firmware, fwCfg, initrds, modules, ...rest } =
    spec as MachineSpec;
  const inFolder = (one: DiskFile): DiskFile => ({
    ...one,
    file: path.resolve(folder, one.file),
    ...(one.keep && { keep: path.resolve(folder, one.keep) }),
  });
  return {
    ...rest,
    ...(devices && { devices: devices.map((one) => moduleIn(folder, one)) }),
    ...(disks && { disks: disks.map(inFolder) }),
    ...(floppies && { floppies: floppies.map(inFolder) }),
    ...(cdroms && { cdroms: cdroms.map(inFolder) }),
    ...(initrds && { initrds: initrds.map((file) => path.resolve(folder, file)) }),
    ...(modules && {
      modules: modules.map((text) => (path.isAbsolute(text) ? text : path.join(folder, '/') + text)),
    }),
    ...(firmware && { firmware: path.resolve(folder, firmware) }),
    ...(fwCfg && {
      fwCfg: fwCfg.map((one) => ({ ...one, ...(one.file && { file: path.resolve(folder, one.file) }) })),
    }),
    ...(hypercalls && { hypercalls: moduleIn(folder, hypercalls) }),
  };
}

/** True for a value of `--as` that is about a source, not about an image. */
export function isAssembler(name: unknown): name is AssemblerName {
  return (assemblers as readonly unknown[]).includes(name);
}

/** The URL of a module that was named by its path: a machine's thread imports it. */
function moduleIn(folder: string, { module, ...rest }: DeviceModule): DeviceModule {
  return { ...rest, module: pathToFileURL(path.resolve(folder, module)).href };
}

/** As commander names the value of `--cpu-vendor`. */
function camelCase(word: string): string {
  return word.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
