import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { asTyped } from '../../../../command.js';
import type { MachineSpec } from '../../../../config/index.js';
import { ConfigError } from '../../../../errors.js';
import { keepNoMemory } from '../../../../memory/index.js';
import { withVga } from '../../../../pc/index.js';
import {
  canRunHere,
  type HostedMachine,
  type HostedOptions,
  hostHere,
  hostMachine,
  type LoadedImage,
  type LockstepName,
  loadImage,
  SOURCE_ENDINGS,
} from '../../../../runtime/index.js';
import { printableText } from '../../../../symbols/index.js';
import { addBuildOptions, buildOf } from '../../../frontend/build-options.js';
import {
  couldBeStorm,
  endingText,
  needsExplanation,
  printEngine,
  printGuestLog,
} from '../../../frontend/ending.js';
import { ExitStatus, statusOf } from '../../../frontend/exit-status.js';
import { addMachineOptions, specOf } from '../../../frontend/machine-options.js';
import { requireWritable } from '../../../frontend/output-file.js';
import { SAFE_OUTPUT, SafeOutput } from '../../../frontend/safe-output.js';
import { say, standardError, standardOutput } from '../../../frontend/standard-output.js';
import { styleFor } from '../../../frontend/style.js';
import { takenFor } from '../../../frontend/taken-for.js';
import { connectConsole, keyTargets } from '../../../frontend/terminal.js';
import { typedAtStart, typedLater } from '../../../frontend/typed-text.js';
import { parseCount, parseDumped, parseDuration, parseGdb } from '../../../frontend/values.js';
import type { RunFlags } from './flags.js';
import type { NamedMachine } from './named.js';
import { hiddenScreen } from './screen-hint.js';
import { addScreenshot, momentsOf, takeScreenshots } from './screenshot.js';
import type { SharedTerminal } from './shared-terminal.js';

const examples = `
Examples:
  $ terrarium run guests/hello                     a guest folder
  $ terrarium run kernel.S --mode real --trace     assemble it, then show each exit as a line
  $ terrarium run kernel.S --trace run.ndjson --trace-filter port=0x40-0x43    then: terrarium trace run.ndjson
  $ terrarium run kernel.c --stat                  compile it for long mode, then count its exits
  $ terrarium run kernel.c --profile=where.svg     where it spends its instructions, as a flame graph
  $ terrarium run disk.img --load 0x7c00 --timeout 2s
  $ terrarium run kernel.elf --expect 'rax=42' --expect 'mem64[0x400]=42'
  $ echo hi | terrarium run echo.bin               stdin is the guest's serial port
  $ terrarium run kernel.S --device ./my-device.mjs  with a device of your own
  $ terrarium run guests/snake --screen             play: the VGA's picture in this terminal
  $ terrarium run freedos.img --screen             a floppy, a disk or a CD, started by the BIOS
  $ terrarium run --disk hd.img --cdrom system.iso --boot d
  $ terrarium run guests/vga-text --screenshot hello.png
  $ terrarium run guests/hello --dump gdt,pages,walk:0x100000
  $ terrarium run kernel.elf --gdb                 then: gdb kernel.elf -ex 'target remote :1234'
  $ terrarium run kernel.S --timeout 1s --save it.terra    then: terrarium run --from it.terra
  $ terrarium run guests/snake --record game.terra         then: terrarium replay game.terra
  $ terrarium run guests/hello --name web --detach in a process of its own; then: terrarium ps
`;

const statuses = `
Exit status:
  0 halted (or reset itself, or switched off) and every expectation held, or the guest's own code; 1 an expectation failed; 2 usage or image error;
  3 triple fault, or halted forever by mistake; 4 engine error, or stdout cannot be written; 124 timed out or out of exits; 130 interrupted.
`;

export function runCommand(): Command {
  const command = new Command('run')
    .usage('<image | sources… | folder> [options]')
    .description(
      'Runs a guest. Its console is stdout, its serial port reads stdin; everything else goes to stderr.',
    )
    .argument(
      '[image...]',
      `kernel, disk, ROM, flat image (docs/images.md), sources (${SOURCE_ENDINGS}) or folder`,
    );
  return addBuildOptions(addMachineOptions(command))
    .option('--speaker', "ring the terminal's bell when the guest's speaker starts")
    .option(
      '--timeout <duration>',
      'end a guest that still runs after this time: 500ms, 2s, 1m',
      parseDuration,
    )
    .option('--max-exits <n>', 'end the guest after n exits', parseCount)
    .option(
      '--expect <what>',
      "check at the end: 'rax=42', 'mem64[0x400]=42', 'console=\"hi\"'; may repeat",
      addText,
    )
    .option(
      '--screen',
      'show the VGA’s picture in this terminal; keys go to the keyboard, Ctrl-C ends the run, time is wall-clock time',
    )
    .addOption(
      new Option(
        '--keys <where>',
        'where keys typed at a terminal go: its serial port, its keyboard, or both',
      )
        .choices(keyTargets)
        .default('both'),
    )
    .option(
      '--screenshot <file[@moment]>',
      'the VGA’s picture as a PNG; a moment is HLT, 2s or exit:1000 (default: the end); may repeat',
      addScreenshot,
    )
    .option(
      '--trace [=file]',
      'each exit as a line, on stderr or into --trace=file; FILE.json: for Perfetto and Chrome; FILE.ndjson: an object per exit; implies --no-coalesce, so that each access is an exit',
    )
    .option(
      '--trace-filter <what>',
      "only such exits: 'port=0x3f8-0x3ff', 'kind=mmio device=vga', address=, rip=; may repeat",
      addText,
    )
    .option(
      '--gdb [=port|socket]',
      'wait for gdb on this computer before the guest starts: port 1234, --gdb=PORT or --gdb=FILE, a UNIX socket',
      parseGdb,
    )
    .option('--stat', 'a table of exits by reason, address and device, with counts and times')
    .option(
      '--profile [=file]',
      'where the guest spends its instructions, by function; FILE.svg: a flame graph; FILE.json: for speedscope.app; FILE.folded: a line per call chain; uses --engine soft',
    )
    .option('--why', 'explain the end of every run, not only of guests that died')
    .option(
      '--dump <what>',
      'show at the end: regs, gdt, idt, ldt, tss, pages, walk:ADDRESS, code, code:ADDRESS, symbols, translation, translation:ADDRESS, virtio; of Linux: tasks, log; several with commas',
      parseDumped,
    )
    .option('--report <file>', 'the whole outcome as JSON')
    .option('--save <file>', 'a snapshot of the whole machine at the end of the run, to continue from')
    .option('--from <file>', 'continue from a snapshot, or repeat a recording and continue after its end')
    .option(
      '--record <file>',
      'record the inputs, so that `terrarium replay` repeats the run; uses --engine soft',
    )
    .addOption(
      new Option(
        '--lockstep [what]',
        'on KVM and the software CPU at once, or interpreted and translated, to the first difference',
      )
        .choices(['engines', 'translate'] satisfies LockstepName[])
        .preset('engines'),
    )
    .option('--safe-output', SAFE_OUTPUT)
    .option('--watch', 'build and run it again whenever a source changes')
    .option('--quiet', 'do not print how the run ended')
    .option('--name <name>', 'a name by which ps, attach, logs and stop find it')
    .option('--detach', 'run in a process of its own, and return when the guest runs; needs --name')
    .addOption(new Option('--detached-child <file>').hideHelp())
    .addHelpText('before', asTyped(examples.trimStart()))
    .addHelpText('after', statuses)
    .action(async (files: string[], flags: RunFlags) => {
      if (flags.watch) {
        const { runAgain } = await import('./watch.js');
        return runAgain(files);
      }
      if (flags.lockstep !== undefined) {
        const { runLockstep } = await import('./lockstep.js');
        return runLockstep(files, flags, wantedSpec(flags));
      }
      // The code for sockets and processes is loaded only when it is needed.
      if (flags.name === undefined && !flags.detach) {
        keepNoMemory();
        return run(files, flags);
      }
      const { runNamed } = await import('./named.js');
      return runNamed(files, flags, run);
    });
}

function addText(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** A word after `--gdb` or `--trace` counts as an image, since their values are joined to them. */
function requireImages(files: readonly string[]): void {
  for (const file of files) {
    const option = process.argv[process.argv.indexOf(file) - 1] ?? '';
    if (['--gdb', '--trace', '--profile'].includes(option) && !existsSync(file))
      throw new ConfigError(`${file}: no such file`, `for a value of ${option} write ${option}=${file}`);
  }
}

async function run(files: readonly string[], flags: RunFlags, named?: NamedMachine): Promise<void> {
  requireImages(files);
  const { maxExits } = flags;
  const traces =
    flags.trace !== undefined || flags.traceFilter !== undefined
      ? await import('./trace-output.js')
      : undefined;
  const trace = traces?.traceOptions(flags);
  const gdbs = flags.gdb === undefined ? undefined : await import('./gdb.js');
  gdbs?.requireDebuggable(flags);
  const expectations = flags.expect && (await import('./after.js')).parseExpectations(flags.expect);
  for (const [option, target] of outputsOf(flags)) requireWritable(option, target, files);
  const keeping =
    flags.save !== undefined || flags.record !== undefined ? await import('./keeping.js') : undefined;
  const kept =
    flags.from === undefined
      ? undefined
      : await (await import('../../../frontend/terra-file.js')).loadKept(
          files,
          flags.from,
          wantedSpec(flags),
        );
  const loaded = kept?.loaded ?? loadImage(files, wantedSpec(flags), buildOf(flags));
  const { image, warnings, symbols } = loaded;
  const wanted = keeping === undefined ? withVga(loaded) : keeping.specToKeep(flags, withVga(loaded));
  const spec = flags.profile === undefined ? wanted : (await import('./profile.js')).specToProfile(wanted);
  for (const [option, target] of outputsOf(flags))
    requireWritable(option, target, [loaded.file, ...loaded.sources]);
  const timeoutMs = flags.timeout ?? loaded.timeoutMs;
  if (warnings !== '') say(`${warnings.trimEnd()}\n`);
  if (!flags.quiet && loaded.file === files[0] && loaded.sources.length === 0) sayLine(takenFor(image));
  const symbolic = flags.gdb === undefined && flags.profile === undefined ? undefined : symbols?.();
  const config: HostedOptions = {
    image,
    ...spec,
    // A person plays: without this, sleeps take no real time where time is counted in instructions.
    ...(flags.screen && spec.clock === undefined && { clock: 'wall' as const }),
    // Where exits are shown one by one, each access must be an exit of its own.
    ...(flags.trace !== undefined && { coalesce: false }),
    ...(trace && { trace }),
    statistics: flags.stat === true,
    ...(flags.profile !== undefined && { profile: true }),
    ...askedTranslations(flags.dump),
    ...(flags.screen && { frames: true }),
    ...(flags.gdb && { debug: true }),
    ...(symbolic && { symbols: symbolic }),
    ...(flags.screenshot && { captureAt: momentsOf(flags.screenshot) }),
    ...typedLater(flags.type),
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.record !== undefined && { record: true }),
    ...kept?.observed,
  };
  await using machine = await open(config);
  if (!flags.quiet && standardError.isTTY) printEngine(machine);
  if (!flags.quiet) for (const note of machine.boot.notes) sayLine(`terrarium: ${note}`);
  const shared = traces?.sharesTerminal(flags.trace) ? new traces.SharedTerminal() : undefined;
  const closeTrace = flags.trace === undefined ? undefined : traces?.openTrace(machine, flags.trace, shared);
  printGuestLog(machine);
  const screenshots = flags.screenshot && takeScreenshots(machine, flags.screenshot);
  const terminal = connectConsole(machine, {
    keep: expectations?.some(({ needsConsole }) => needsConsole) ?? false,
    tap: named?.print,
    screen: flags.screen === true,
    keys: flags.keys,
    write: consoleWriter(flags, shared),
  });
  if (flags.speaker) ringBell(machine);
  const gdb = flags.gdb && (await gdbs?.openGdb(machine, flags.gdb, loaded));
  const keeper = await keeping?.Keeper.begin(machine, flags, { spec, image });
  const stopped = stopOnSignals(gdb ?? machine);
  const screen = flags.screen && (await openScreen(machine));
  const running =
    gdb?.outcome ??
    machine.run({
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(maxExits !== undefined && { maxExits }),
    });
  // Not waited for: a guest may never read its keyboard.
  const typed = typedAtStart(flags.type);
  if (typed !== undefined) void machine.type(typed);
  const [outcome] = await Promise.all([
    running,
    named?.serve(machine, (file) => keepNow(machine, { spec, image }, file)),
  ]).catch(async (error) => {
    // A device failed: the terminal is restored, and its input no longer keeps this process alive.
    stopped.restore();
    if (screen) screen.close(undefined);
    await terminal.close(false);
    throw error;
  });
  stopped.restore();
  await closeTrace?.();
  screen?.close(await machine.screen());
  shared?.end();
  await terminal.close(outcome.kind !== 'stopped');
  const tells =
    flags.why ||
    needsExplanation(outcome) ||
    [expectations, flags.stat, flags.profile, flags.dump, flags.report, outcome.recent].some(Boolean);
  if (!flags.quiet || outcome.kind === 'shutdown' || outcome.kind === 'engineError') {
    if (terminal.openLine && shared === undefined) say('\n');
    if (tells || couldBeStorm(outcome))
      (await import('./after.js')).printOutcome(outcome, machine.memory, spec.syntax);
    else say(`${endingText(outcome, styleFor(standardError))}\n`);
  }
  if (!flags.quiet && !flags.screen && !flags.screenshot) {
    for (const line of await hiddenScreen(machine, terminal.tail)) sayLine(line);
  }
  // A failed expectation decides the status only where the guest ended well: other ends have their own status.
  const end = stopped.status ?? statusOfOutput(terminal.failure) ?? statusOf(outcome);
  const status = !tells
    ? end
    : await (await import('./after.js')).reportRun({
        flags,
        machine,
        outcome,
        end,
        loaded: { ...loaded, spec },
        files,
        open,
        console: terminal.bytes,
        ...(expectations && { expectations }),
        ...(symbolic && { named: symbolic }),
      });
  // After all messages about the run: a disk may be full.
  await screenshots?.finish();
  await keeper?.end(outcome);
  process.exitCode = status;
  // When a guest was stopped, do not wait for a reader of its output that does not read.
  if (outcome.kind === 'stopped' && standardOutput.waiting > 0) process.exit();
  await named?.end(outcome, status);
}

/** Another process asks for a snapshot. */
async function keepNow(
  machine: HostedMachine,
  made: Pick<LoadedImage, 'spec' | 'image'>,
  file: string,
): Promise<{ bytes: number }> {
  const { keepRunning } = await import('./keeping.js');
  return keepRunning(machine, made, file);
}

/** A line for the user, where there is one. */
function sayLine(line: string | undefined): void {
  if (line !== undefined) say(`${printableText(line)}\n`);
}

/** A machine on this thread where it can be: another would take longer to start than most guests take to run. */
function open(config: HostedOptions): Promise<HostedMachine> {
  return canRunHere(config) ? hostHere(config) : hostMachine(config);
}

/** The code that prints the guest's output, where it does not go to stdout unchanged. */
function consoleWriter(
  { safeOutput }: RunFlags,
  shared: SharedTerminal | undefined,
): ((bytes: Uint8Array) => unknown) | undefined {
  const safe = safeOutput ? new SafeOutput() : undefined;
  if (shared === undefined && safe === undefined) return undefined;
  return (bytes) => {
    const shown = safe?.take(bytes) ?? bytes;
    return shared === undefined ? standardOutput.write(shown) : shared.print(shown);
  };
}

async function openScreen(machine: HostedMachine) {
  const { LiveScreen } = await import('../../../frontend/screen/live.js');
  return LiveScreen.open(machine);
}

/** The files that a run writes, with the options that name them. */
function outputsOf({
  trace,
  report,
  profile,
  save,
  record,
  screenshot = [],
}: RunFlags): [option: string, file: string][] {
  return [
    ...(save === undefined ? [] : [['--save', save] as [string, string]]),
    ...(record === undefined ? [] : [['--record', record] as [string, string]]),
    ...(typeof trace === 'string' && trace !== '-' ? [['--trace', trace] as [string, string]] : []),
    ...(typeof profile === 'string' && profile !== '-' ? [['--profile', profile] as [string, string]] : []),
    ...(report === undefined ? [] : [['--report', report] as [string, string]]),
    ...screenshot.map(({ file }): [string, string] => ['--screenshot', file]),
  ];
}

/** The status where stdout could not be written; prints the reason, unless the reader closed it. */
function statusOfOutput(failure: string | undefined): number | undefined {
  if (failure === undefined) return undefined;
  if (failure === 'EPIPE') return ExitStatus.abandoned;
  say(`terrarium: the guest's console could not be written to stdout: ${failure}\n`);
  return ExitStatus.engine;
}

/** The machine that the command line asks for; --screen and --screenshot imply a VGA. */
function wantedSpec(flags: RunFlags): MachineSpec {
  return { ...((flags.screen || flags.screenshot) && { vga: true }), ...specOf(flags) };
}

/** The terminal's bell, once each time that the guest's speaker starts. */
function ringBell(machine: HostedMachine): void {
  let heard = 0;
  machine.onSigns(({ beeps }) => {
    if (beeps > heard) say('\x07');
    heard = beeps;
  });
}

/** The first signal stops the guest, so that its state can be reported; the second ends the process at once. */
function stopOnSignals(machine: Pick<HostedMachine, 'stop'>): {
  status: number | undefined;
  restore(): void;
} {
  const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
  const result = {
    status: undefined as number | undefined,
    restore() {
      for (const signal of Object.keys(numbers)) process.removeListener(signal, handler);
    },
  };
  function handler(signal: NodeJS.Signals): void {
    const status = 128 + numbers[signal as keyof typeof numbers];
    if (result.status !== undefined) process.exit(status);
    result.status = status;
    machine.stop().catch(() => process.exit(status));
  }
  for (const signal of Object.keys(numbers)) process.on(signal, handler);
  return result;
}

/** The machine must be asked for its translations before it is disposed. */
function askedTranslations(dump: RunFlags['dump']): Pick<HostedOptions, 'translations'> {
  const asked = dump?.filter(({ what }) => what === 'translation') ?? [];
  if (asked.length === 0) return {};
  return { translations: asked.flatMap((item) => ('address' in item ? [item.address] : [])) };
}
