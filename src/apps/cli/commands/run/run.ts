import { Command, Option } from 'commander';
import type { Image } from '../../../../boot/index.js';
import { asTyped } from '../../../../command.js';
import type { MachineSpec } from '../../../../config/index.js';
import type { DebugAddress } from '../../../../debug/index.js';
import { type Explanation, explain } from '../../../../explain/index.js';
import {
  checkExpectation,
  type DumpItem,
  dump,
  type Expectation,
  parseExpectation,
} from '../../../../inspect/index.js';
import {
  type HostedMachine,
  type HostedOptions,
  type HostedOutcome,
  hostMachine,
  loadImage,
  SOURCE_ENDINGS,
} from '../../../../runtime/index.js';
import { printableText, SymbolTable } from '../../../../symbols/index.js';
import { addBuildOptions, type BuildFlags, buildOf } from '../../../frontend/build-options.js';
import { ExitStatus, statusOf } from '../../../frontend/exit-status.js';
import { addMachineOptions, type MachineFlags, specOf } from '../../../frontend/machine-options.js';
import {
  asksWhy,
  printEngine,
  printExplanation,
  printGuestLog,
  printOutcome,
  printSimvirtio,
  printStatistics,
} from '../../../frontend/outcome-text.js';
import { requireWritable } from '../../../frontend/output-file.js';
import { SAFE_OUTPUT, SafeOutput } from '../../../frontend/safe-output.js';
import { LiveScreen } from '../../../frontend/screen/live.js';
import { takenFor } from '../../../frontend/taken-for.js';
import { connectConsole, type KeyTarget, keyTargets } from '../../../frontend/terminal.js';
import { parseCount, parseDumped, parseDuration, parseGdb } from '../../../frontend/values.js';
import { openGdb, requireDebuggable } from './gdb.js';
import type { NamedMachine, NameFlags } from './named.js';
import { writeReport } from './report.js';
import { hiddenScreen } from './screen-hint.js';
import { addScreenshot, momentsOf, type Screenshot, takeScreenshots } from './screenshot.js';
import { SharedTerminal, sharesTerminal } from './shared-terminal.js';
import { openTrace, type TraceFlags, traceOptions } from './trace-output.js';

const examples = `
Examples:
  $ terrarium run guests/hello                     a guest folder
  $ terrarium run kernel.S --mode real --trace     assemble it, then show each exit as a line
  $ terrarium run kernel.S --trace run.ndjson --trace-filter port=0x40-0x43    then: terrarium trace run.ndjson
  $ terrarium run kernel.c --stat                  compile it for long mode, then count its exits
  $ terrarium run disk.img --load 0x7c00 --timeout 2s
  $ terrarium run kernel.elf --expect 'rax=42' --expect 'mem64[0x400]=42'
  $ echo hi | terrarium run echo.bin               stdin is the guest's serial port
  $ terrarium run kernel.S --device ./my-device.mjs  with a device of your own
  $ terrarium run guests/snake --screen             play: what the VGA shows, in this terminal
  $ terrarium run guests/vga-text --screenshot hello.png
  $ terrarium run guests/hello --dump gdt,pages,walk:0x100000
  $ terrarium run kernel.elf --gdb                 then: gdb kernel.elf -ex 'target remote :1234'
  $ terrarium run guests/hello --name web --detach in a process of its own; then: terrarium ps
`;

const statuses = `
Exit status:
  0 halted (or reset itself) and every expectation held, or the guest's own code; 1 an expectation failed; 2 usage or image error;
  3 triple fault, or halted for ever without meaning to; 4 engine error, or stdout cannot be written; 124 timed out or out of exits; 130 interrupted.
`;

interface RunFlags extends MachineFlags, BuildFlags, NameFlags, TraceFlags {
  timeout?: number;
  maxExits?: number;
  expect?: Expectation[];
  stat?: true;
  why?: true;
  dump?: DumpItem[];
  report?: string;
  speaker?: true;
  screenshot?: Screenshot[];
  watch?: true;
  safeOutput?: true;
  screen?: true;
  keys: KeyTarget;
  gdb?: DebugAddress;
}

export function runCommand(): Command {
  const command = new Command('run')
    .usage('<image | sources… | folder> [options]')
    .description(
      'Runs a guest. Its console is stdout, its serial port reads stdin; everything else goes to stderr.',
    )
    .argument(
      '<image...>',
      `kernel, disk, ROM, flat image (docs/images.md), sources (${SOURCE_ENDINGS}) or folder`,
    );
  return addBuildOptions(addMachineOptions(command))
    .option('--speaker', "ring the terminal's bell when the guest's speaker starts")
    .option('--timeout <duration>', 'end a guest that does not: 500ms, 2s, 1m', parseDuration)
    .option('--max-exits <n>', 'end the guest after n exits', parseCount)
    .option(
      '--expect <what>',
      "check at the end: 'rax=42', 'mem64[0x400]=42', 'console=\"hi\"'; may repeat",
      collect,
    )
    .option(
      '--screen',
      'what the VGA shows, in this terminal; keys go to the keyboard, Ctrl-C ends the run, time is wall time',
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
      'what the VGA shows as a PNG; a moment is HLT, 2s or exit:1000 (default: the end); may repeat',
      addScreenshot,
    )
    .option(
      '--trace [=file]',
      'each exit as a line, on stderr or into --trace=file; FILE.json: for Perfetto and Chrome; FILE.ndjson: an object an exit; implies --no-coalesce, so that each access is an exit',
    )
    .option(
      '--trace-filter <what>',
      "only such exits: 'port=0x3f8-0x3ff', 'kind=mmio device=vga', address=, rip=; may repeat",
      addFilter,
    )
    .option(
      '--gdb [=port|socket]',
      'wait for gdb on this computer before the guest starts: port 1234, --gdb=PORT or --gdb=FILE, a UNIX socket',
      parseGdb,
    )
    .option('--stat', 'a table of exits by reason, address and device, with counts and times')
    .option('--why', 'explain the end of every run, not only of those that died')
    .option(
      '--dump <what>',
      'show at the end: regs, gdt, idt, ldt, tss, pages, walk:ADDRESS, code, code:ADDRESS, symbols; several with commas',
      parseDumped,
    )
    .option('--report <file>', 'the whole outcome as JSON')
    .option('--safe-output', SAFE_OUTPUT)
    .option('--watch', 'build and run it again whenever a source changes')
    .option('--quiet', 'do not say how the run ended')
    .option('--name <name>', 'let others find it: the commands ps, attach, logs, stop')
    .option('--detach', 'run in a process of its own, and return when the guest runs; needs --name')
    .addOption(new Option('--detached-child <file>').hideHelp())
    .addHelpText('before', asTyped(examples.trimStart()))
    .addHelpText('after', statuses)
    .action(async (files: string[], flags: RunFlags) => {
      if (flags.watch) {
        const { runAgain } = await import('./watch.js');
        return runAgain(files);
      }
      // Sockets and processes are loaded for those who want them.
      if (flags.name === undefined && !flags.detach) return run(files, flags);
      const { runNamed } = await import('./named.js');
      return runNamed(files, flags, run);
    });
}

function addFilter(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function collect(text: string, before: Expectation[] = []): Expectation[] {
  return [...before, parseExpectation(text)];
}

async function run(files: readonly string[], flags: RunFlags, named?: NamedMachine): Promise<void> {
  const { maxExits, expect = [] } = flags;
  const trace = traceOptions(flags);
  if (flags.gdb !== undefined) requireDebuggable(flags);
  for (const [option, target] of outputsOf(flags)) requireWritable(option, target, files);
  const loaded = loadImage(files, wantedSpec(flags), buildOf(flags));
  const { image, spec, warnings, symbols } = loaded;
  for (const [option, target] of outputsOf(flags))
    requireWritable(option, target, [loaded.file, ...loaded.sources]);
  const timeoutMs = flags.timeout ?? loaded.timeoutMs;
  if (warnings !== '') process.stderr.write(`${warnings.trimEnd()}\n`);
  if (!flags.quiet && loaded.file === files[0] && loaded.sources.length === 0) say(takenFor(image));
  const symbolic = flags.gdb === undefined ? undefined : symbols?.();
  await using machine = await hostMachine({
    image,
    ...spec,
    // A person plays: without this, sleeps take no time where time is instructions.
    ...(flags.screen && spec.clock === undefined && { clock: 'wall' as const }),
    // Each access is an exit of its own where exits are looked at one by one.
    ...(flags.trace !== undefined && { coalesce: false }),
    ...(trace && { trace }),
    statistics: flags.stat === true,
    ...(flags.screen && { frames: true }),
    ...(flags.gdb && { debug: true }),
    ...(symbolic && { symbols: symbolic }),
    ...(flags.screenshot && { captureAt: momentsOf(flags.screenshot) }),
    ...(flags.name !== undefined && { name: flags.name }),
  });
  if (!flags.quiet && process.stderr.isTTY) printEngine(machine);
  if (!flags.quiet) for (const note of machine.boot.notes) say(`terrarium: ${note}`);
  const shared = sharesTerminal(flags.trace) ? new SharedTerminal() : undefined;
  const closeTrace = flags.trace === undefined ? undefined : openTrace(machine, flags.trace, shared);
  printGuestLog(machine);
  const screenshots = flags.screenshot && takeScreenshots(machine, flags.screenshot);
  const terminal = connectConsole(machine, {
    keep: expect.some((expectation) => expectation.needsConsole),
    tap: named?.print,
    screen: flags.screen === true,
    keys: flags.keys,
    write: consoleWriter(flags, shared),
  });
  if (flags.speaker) ringBell(machine);
  const gdb = flags.gdb && (await openGdb(machine, flags.gdb, loaded));
  const stopped = stopOnSignals(gdb ?? machine);
  const screen = flags.screen && (await LiveScreen.open(machine));
  const running =
    gdb?.outcome ??
    machine.run({
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(maxExits !== undefined && { maxExits }),
    });
  // Not waited for: a guest may never read its keyboard.
  if (flags.type !== undefined) void machine.type(flags.type);
  const [outcome] = await Promise.all([running, named?.serve(machine)]);
  stopped.restore();
  await closeTrace?.();
  screen?.close(await machine.screen());
  shared?.end();
  await terminal.close(outcome.kind !== 'stopped');
  const subject = { ...outcome, outcome: outcome.kind, memory: machine.memory, console: terminal.bytes };
  const expectations = expect.map((expectation) => checkExpectation(expectation, subject));
  if (!flags.quiet || outcome.kind === 'shutdown' || outcome.kind === 'engineError') {
    if (terminal.openLine && shared === undefined) process.stderr.write('\n');
    printOutcome(outcome);
  }
  if (!flags.quiet && !flags.screen && !flags.screenshot) {
    say(await hiddenScreen(machine));
  }
  // Only where they are shown: the names of a flat image take a compiler.
  let withNames = symbolic;
  const imageWithNames = () => {
    withNames ??= symbols?.() ?? image;
    return withNames;
  };
  let why = flags.why || asksWhy(outcome) ? explainRun(imageWithNames(), outcome, machine) : undefined;
  if (outcome.kind === 'shutdown' && outcome.faults === undefined && repeats(flags)) {
    why = (await explainAgain({ ...spec, image }, imageWithNames())) ?? why;
  }
  if (why !== undefined) printExplanation(why);
  if (outcome.statistics !== undefined) {
    printStatistics(outcome);
    if (outcome.simvirtio !== undefined) printSimvirtio(outcome.simvirtio);
  }
  if (!flags.quiet && expectations.length > 0 && expectations.every(({ ok }) => ok)) {
    process.stderr.write(
      `terrarium: ${expectations.length === 1 ? 'the expectation holds' : `all ${expectations.length} expectations hold`}\n`,
    );
  }
  for (const { ok, text, expected, found } of expectations) {
    if (!ok) process.stderr.write(`terrarium: expected ${text}: expected ${expected}, found ${found}\n`);
  }
  const names = flags.dump && new SymbolTable(imageWithNames());
  const parts =
    flags.dump && dump({ ...outcome, memory: machine.memory, ...(names && { symbols: names }) }, flags.dump);
  for (const { text } of parts ?? []) process.stderr.write(`\n${text}\n`);
  const held = expectations.every(({ ok }) => ok);
  // A failed expectation only speaks where the guest itself came to a good end: other endings have their own status.
  const end = stopped.status ?? statusOfOutput(terminal.failure) ?? statusOf(outcome);
  const good = outcome.kind === 'halted' || outcome.kind === 'exited' || outcome.kind === 'reset';
  const status = good && !held ? ExitStatus.expectationFailed : end;
  if (flags.report !== undefined) {
    const { boot, engineBecause: because } = machine;
    const engine = { name: machine.engine, ...(because !== undefined && { because }) };
    writeReport(flags.report, {
      image: files.join(' '),
      engine,
      boot,
      outcome,
      ...(why && { why }),
      ...(parts && { dump: parts.map(({ what, value }) => ({ what, value })) }),
      expectations,
      status,
    });
  }
  // Behind all that is said of the run: a disk may be full.
  await screenshots?.finish();
  process.exitCode = status;
  // What a stopped guest printed for a reader that stands still keeps nobody waiting.
  if (outcome.kind === 'stopped' && process.stdout.writableLength > 0) process.exit();
  await named?.end(outcome, status);
}

/** A line for the user, where there is one. */
function say(line: string | undefined): void {
  if (line !== undefined) process.stderr.write(`${printableText(line)}\n`);
}

/** Who prints what the guest printed, where that is not stdout as it is. */
function consoleWriter(
  { safeOutput }: RunFlags,
  shared: SharedTerminal | undefined,
): ((bytes: Uint8Array) => unknown) | undefined {
  const safe = safeOutput ? new SafeOutput() : undefined;
  if (shared === undefined && safe === undefined) return undefined;
  const out = (bytes: Uint8Array) => new Promise<void>((done) => process.stdout.write(bytes, () => done()));
  return (bytes) => {
    const shown = safe?.take(bytes) ?? bytes;
    return shared === undefined ? out(shown) : shared.print(shown);
  };
}

/** The files that a run writes, with the options that name them. */
function outputsOf({ trace, report, screenshot = [] }: RunFlags): [option: string, file: string][] {
  return [
    ...(typeof trace === 'string' && trace !== '-' ? [['--trace', trace] as [string, string]] : []),
    ...(report === undefined ? [] : [['--report', report] as [string, string]]),
    ...screenshot.map(({ file }): [string, string] => ['--screenshot', file]),
  ];
}

/** The status where stdout took no more; says why where that is not known to who reads it. */
function statusOfOutput(failure: string | undefined): number | undefined {
  if (failure === undefined) return undefined;
  if (failure === 'EPIPE') return ExitStatus.abandoned;
  process.stderr.write(`terrarium: the guest's console could not be written to stdout: ${failure}\n`);
  return ExitStatus.engine;
}

/** True where a second run does nothing to the world and needs nobody: no devices of the user's own, nothing typed. */
function repeats({ device, hypercalls, type, gdb, screen }: RunFlags): boolean {
  const alone = process.stdin.isTTY === true || process.stdin.readableEnded || process.stdin.bytesRead === 0;
  return alone && [device, hypercalls, type, gdb, screen].every((flag) => flag === undefined);
}

/** How long a run is repeated at most. */
const REPEAT_MS = 5000;

/** The engine did not say what a shutdown came from: the same guest on the software CPU, which knows; its output is dropped. */
async function explainAgain(config: HostedOptions, named: Image): Promise<Explanation | undefined> {
  await using machine = await hostMachine({ ...config, engine: 'soft' });
  machine.onOutput(() => {});
  const outcome = await machine.run({ timeoutMs: REPEAT_MS });
  if (outcome.kind !== 'shutdown') return undefined;
  const note =
    'The engine did not say what the shutdown came from: Terrarium repeated the run on the software CPU.';
  const why = explainRun(named, outcome, machine);
  return { ...why, mistakes: [...why.mistakes, note] };
}

function explainRun(
  image: Image,
  outcome: HostedOutcome,
  { memory, boot: placed }: Pick<HostedMachine, 'memory' | 'boot'>,
): Explanation {
  const symbols = new SymbolTable(image);
  return explain({ ...outcome, memory, image: placed, locate: (address) => symbols.locate(address) });
}

/** The machine that the command line asks for; who wants to see a picture wants a VGA. */
function wantedSpec(flags: RunFlags): MachineSpec {
  return { ...((flags.screen || flags.screenshot) && { vga: true }), ...specOf(flags) };
}

/** The terminal's bell, once each time that the guest's speaker starts. */
function ringBell(machine: HostedMachine): void {
  let heard = 0;
  machine.onSigns(({ beeps }) => {
    if (beeps > heard) process.stderr.write('\x07');
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
