/**
 * From a launch configuration to a guest that is stopped before its first instruction.
 *
 * @module
 */
import path from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { Command, CommanderError } from 'commander';
import { type FieldName, fieldNames, type MachineSpec, optionWord, wordsOf } from '../../config/index.js';
import { Debugger, type DebuggerEvents } from '../../debug/index.js';
import { ConfigError } from '../../errors.js';
import { kernelNames } from '../../inspect/index.js';
import { withVga } from '../../pc/index.js';
import { type HostedMachine, hostMachine, loadImage, sourceFinder } from '../../runtime/index.js';
import { SymbolTable } from '../../symbols/index.js';
import { addMachineOptions, type MachineFlags, specOf } from '../frontend/machine-options.js';
import { typedAtStart, typedLater } from '../frontend/typed-text.js';
import { SourceMap } from './sources.js';

/** A `launch` request's arguments: `program`, and the options of `terrarium run` by their names. */
export interface LaunchArguments extends DebugProtocol.LaunchRequestArguments {
  program?: unknown;
  stopOnEntry?: unknown;
  /** The folder of relative paths. Default: the folder in which the adapter was started. */
  cwd?: unknown;
  /** Folders to search for sources, before others. */
  sourceFolders?: unknown;
  /** Typed on the guest's keyboard, with the escapes of `--type`; `type` is the editor's own. */
  keys?: unknown;
  /** Options of `terrarium run` as on the command line. */
  args?: unknown;
  /** The token that an adapter at a port demands: see `AccessRules`. */
  token?: unknown;
  [option: string]: unknown;
}

/** A guest that is debugged, or that only runs. */
export interface Guest {
  machine: HostedMachine;
  /** Missing with `noDebug`. */
  debug?: Debugger;
  symbols: SymbolTable;
  sources: SourceMap;
  /** The compiler's messages, if any. */
  warnings: string;
  /** Text to type on its keyboard. */
  typed: string | undefined;
}

/**
 * @param admit throws for modules, given by their URLs, that may not run here
 * @throws TerrariumError with a message for the author of the configuration
 */
export async function openGuest(
  launch: LaunchArguments,
  events: DebuggerEvents,
  admit: (modules: readonly string[]) => void,
): Promise<Guest> {
  const { program, noDebug = false } = launch;
  const folder = typeof launch.cwd === 'string' ? launch.cwd : process.cwd();
  if (typeof program !== 'string' || program === '')
    throw new ConfigError(
      'the launch configuration names no program',
      '"program" is an image, a source (.S, .s, .c) or a folder with a guest.json',
    );
  const flags = flagsOf(launch);
  const asked = specOf(flags, folder);
  const { devices = [], hypercalls } = asked;
  admit([...devices, ...(hypercalls ? [hypercalls] : [])].map(({ module }) => module));
  const loaded = loadImage(path.resolve(folder, program), asked);
  const { image, warnings, symbols, sourceFolder } = loaded;
  const spec = withVga(loaded);
  if (!noDebug && spec.simvirtio === 'polling')
    throw new ConfigError(
      'a guest whose SIMVIRTIO is polled cannot be debugged',
      'take "simvirtio": "exits"',
    );
  const named = symbols?.() ?? image;
  const machine = await hostMachine({
    image,
    ...spec,
    ...(named !== image && { symbols: named }),
    ...typedLater(flags.type),
    debug: !noDebug,
  });
  const table = new SymbolTable(
    named,
    kernelNames(() => machine.memory),
  );
  const folders = Array.isArray(launch.sourceFolders) ? launch.sourceFolders.map(String) : [];
  const find = sourceFinder(
    sourceFolder,
    folders.map((one) => path.resolve(folder, one)),
  );
  return {
    machine,
    ...(!noDebug && { debug: debuggerOf(machine, table, events, spec) }),
    symbols: table,
    sources: new SourceMap(table.lines.files, find),
    warnings,
    typed: typedAtStart(flags.type),
  };
}

function debuggerOf(machine: HostedMachine, table: SymbolTable, events: DebuggerEvents, spec: MachineSpec) {
  const made = new Debugger(machine.debugTarget(), table, events);
  made.syntax = spec.syntax ?? 'intel';
  return made;
}

/** The configuration's options as words of the command line. */
function flagsOf(launch: LaunchArguments): MachineFlags {
  const words = fieldNames.flatMap((name) => wordsFor(name, launch[optionWord(name) ?? '']));
  const typed = typeof launch.keys === 'string' ? [`--type=${launch.keys}`] : [];
  const more = Array.isArray(launch.args) ? launch.args.map(String) : [];
  const command = addMachineOptions(new Command('launch'))
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} });
  try {
    command.parse([...words, ...typed, ...more], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new ConfigError(`launch configuration: ${error.message.replace(/^error: /, '')}`);
  }
  return command.opts<MachineFlags>();
}

/** A value as written in launch.json, as words of the command line. */
function wordsFor(name: FieldName, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'boolean') return wordsOf({ [name]: value });
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.map((one) => `--${optionWord(name)}=${String(one)}`);
}
