/**
 * The reports at a run's end beyond its outcome: the reason, the expectations, the state that it left, the counters. Loaded only when there
 * is something to report: most guests simply end.
 *
 * @module
 */
import type { Image } from '../../../../boot/index.js';
import type { MachineSpec } from '../../../../config/index.js';
import { type Explanation, endsBadly, explain } from '../../../../explain/index.js';
import {
  checkExpectation,
  dump,
  type Expectation,
  foundTranslations,
  kernelNames,
  parseExpectation,
} from '../../../../inspect/index.js';
import type { HostedMachine, HostedOptions, HostedOutcome, LoadedImage } from '../../../../runtime/index.js';
import { printableText, SymbolTable } from '../../../../symbols/index.js';
import { needsExplanation } from '../../../frontend/ending.js';
import { ExitStatus } from '../../../frontend/exit-status.js';
import { printExplanation, printSimvirtio, printStatistics } from '../../../frontend/outcome-text.js';
import { say } from '../../../frontend/standard-output.js';
import type { RunFlags } from './flags.js';
import { writeReport } from './report.js';

export { printOutcome } from '../../../frontend/outcome-text.js';

/** @throws ExpectationError */
export function parseExpectations(texts: readonly string[]): Expectation[] {
  return texts.map(parseExpectation);
}

/** A run that is over. */
export interface Ended {
  flags: RunFlags;
  files: readonly string[];
  loaded: LoadedImage;
  machine: HostedMachine;
  outcome: HostedOutcome;
  /** The guest's console output, where an expectation needs it. */
  console: Uint8Array;
  expectations?: readonly Expectation[];
  /** The exit status of the run if there are no expectations. */
  end: number;
  /** The image with its names, where it was made already. */
  named?: Image;
  /** Makes another machine. */
  open(config: HostedOptions): Promise<HostedMachine>;
}

/** Prints all reports, and returns the run's exit status. */
export async function reportRun(run: Ended): Promise<number> {
  const { flags, files, loaded, machine, outcome, end } = run;
  const { image, symbols } = loaded;
  // Only where they are shown: finding the names of a flat image runs a compiler.
  let { named } = run;
  const withNames = () => {
    named ??= symbols?.() ?? image;
    return named;
  };
  const { syntax } = loaded.spec;
  let why =
    flags.why || needsExplanation(outcome) ? explainRun(withNames(), outcome, machine, syntax) : undefined;
  if (outcome.kind === 'shutdown' && outcome.faults === undefined && repeats(flags)) {
    why = (await explainAgain(run, withNames())) ?? why;
  }
  if (why !== undefined) printExplanation(why);
  if (flags.why && canGoBack(run)) await printCause(run, withNames());
  if (outcome.statistics !== undefined) {
    const names =
      outcome.translation === undefined
        ? undefined
        : new SymbolTable(
            withNames(),
            kernelNames(() => machine.memory),
          );
    printStatistics(outcome, (address) => {
      const text = `0x${address.toString(16)}`;
      const name = names?.symbolAt(address);
      return name === undefined ? text : `${text} ${name}`;
    });
    if (outcome.simvirtio !== undefined) printSimvirtio(outcome.simvirtio);
  }
  if (flags.profile !== undefined && outcome.profile !== undefined) {
    const { showProfile } = await import('./profile.js');
    showProfile(flags.profile, outcome.profile, files.join(' '));
  }
  const expectations = checked(run);
  const names =
    flags.dump &&
    new SymbolTable(
      withNames(),
      kernelNames(() => machine.memory),
    );
  const { translations, ...stopped } = outcome;
  const subject = {
    ...stopped,
    memory: machine.memory,
    ...(syntax && { syntax }),
    ...(names && { symbols: names }),
    ...(translations && { translations: foundTranslations(translations) }),
  };
  const parts = flags.dump && dump(subject, flags.dump);
  for (const { text } of parts ?? []) say(`\n${text}\n`);
  const held = expectations.every(({ ok }) => ok);
  const good =
    outcome.kind === 'halted' ||
    outcome.kind === 'exited' ||
    outcome.kind === 'reset' ||
    outcome.kind === 'poweredOff';
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
  return status;
}

/** Prints which expectations hold. */
function checked({ flags, machine, outcome, console, expectations = [] }: Ended) {
  const subject = { ...outcome, outcome: outcome.kind, memory: machine.memory, console };
  const results = expectations.map((expectation) => checkExpectation(expectation, subject));
  if (!flags.quiet && results.length > 0 && results.every(({ ok }) => ok)) {
    const all = results.length === 1 ? 'the expectation holds' : `all ${results.length} expectations hold`;
    say(`terrarium: ${all}\n`);
  }
  for (const { ok, text, expected, found } of results) {
    if (!ok) say(`terrarium: expected ${text}: expected ${expected}, found ${found}\n`);
  }
  return results;
}

/** True where a second run has no side effects and needs no user: no devices of the user's own, no typed input. */
function repeats({ device, hypercalls, type, gdb, screen }: RunFlags): boolean {
  const alone = process.stdin.isTTY === true || process.stdin.readableEnded || !process.stdin.bytesRead;
  return alone && [device, hypercalls, type, gdb, screen].every((flag) => flag === undefined);
}

/** The time limit of a repeated run. */
const REPEAT_MS = 5000;

/** The same machine on the software CPU, which has no interrupt controllers of its own. */
function onSoftware(spec: LoadedImage['spec']): LoadedImage['spec'] {
  const inside = spec.irqchip === 'kernel' || spec.irqchip === 'split';
  return { ...spec, engine: 'soft', ...(inside && { irqchip: 'user' }) };
}

/** The engine did not report the cause of a shutdown: the same guest runs on the software CPU, which does; its output is dropped. */
async function explainAgain({ loaded, open }: Ended, named: Image): Promise<Explanation | undefined> {
  const { spec, image } = loaded;
  await using machine = await open({ ...onSoftware(spec), image });
  machine.onOutput(() => {});
  const outcome = await machine.run({ timeoutMs: REPEAT_MS });
  if (outcome.kind !== 'shutdown') return undefined;
  const note =
    'The engine did not report the cause of the shutdown: Terrarium repeated the run on the software CPU.';
  const why = explainRun(named, outcome, machine, spec.syntax);
  return { ...why, mistakes: [...why.mistakes, note] };
}

/** True where the software CPU repeats the same run: it had no input from outside. */
function canGoBack({ flags, outcome, loaded: { spec } }: Ended): boolean {
  const { clock = 'instructions', cpus = 1 } = spec;
  return (
    cpus === 1 && clock === 'instructions' && flags.from === undefined && repeats(flags) && endsBadly(outcome)
  );
}

/** Repeats the run on the software CPU, with a history, and says where the value came from that made the guest die. */
async function printCause({ loaded, open, outcome }: Ended, named: Image): Promise<void> {
  const { spec, image } = loaded;
  await using machine = await open({ ...onSoftware(spec), image, debug: true, symbols: named });
  machine.onOutput(() => {});
  const target = machine.debugTarget();
  const late = setTimeout(() => void target.interrupt(), REPEAT_MS);
  const stop = await target.resume();
  const { kind, registers } = outcome;
  if (stop.outcome?.kind === kind && stop.outcome.registers.rip === registers.rip) {
    const cause = await target.describe('cause');
    // A line for each instruction; a single line says that there is none.
    if (cause.includes('\n')) say(`where it came from: ${cause.split('\n').map(printableText).join('\n')}\n`);
  }
  clearTimeout(late);
}

function explainRun(
  image: Image,
  outcome: HostedOutcome,
  { memory, boot: placed }: Pick<HostedMachine, 'memory' | 'boot'>,
  syntax: MachineSpec['syntax'] = 'intel',
): Explanation {
  const symbols = new SymbolTable(
    image,
    kernelNames(() => memory),
  );
  const locate = (address: bigint) => symbols.locate(address);
  return explain({ ...outcome, memory, image: placed, syntax, locate });
}
