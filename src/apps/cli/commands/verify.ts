import { Command, InvalidArgumentError, Option } from 'commander';
import { asTyped } from '../../../command.js';
import type { Engine } from '../../../engine/contract/index.js';
import { ConfigError } from '../../../errors.js';
import { engineByName, hostCpuVendor } from '../../../runtime/index.js';
import {
  formatReport,
  type ModeName,
  modeNames,
  type Vendors,
  Verifier,
  type VerifierReport,
} from '../../../verify/index.js';
import { type CpuVendor, cpuVendors } from '../../../x86/index.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { styleFor } from '../../frontend/style.js';
import { parseCount, parseDuration } from '../../frontend/values.js';
import { type VerifySummary, verifyByQueue } from './verify-queue.js';

const examples = `
Examples:
  $ terrarium verify                              100,000 random instructions on the software CPU and on KVM
  $ terrarium verify --mode real --seconds 10
  $ terrarium verify --only adc --count 20000     one instruction in all its forms
  $ terrarium verify --seed 42                    other numbers, the same in every run
  $ terrarium verify --engine soft                without KVM: they run, nothing is compared
  $ terrarium verify --json > report.json         for programs
  $ terrarium verify --count 10000000 --queue redis://lab.example:6379   by \`terrarium worker\` on other machines
`;

const statuses = `
Exit status:
  0 no unexplained difference; 1 there are some; 2 usage error; 4 no KVM here.
`;

interface VerifyFlags {
  mode: ModeName;
  seed: number;
  count?: number;
  seconds?: number;
  only?: string;
  engine?: 'soft';
  cpuVendor?: CpuVendor;
  json?: true;
  queue?: string;
}

const DEFAULT_COUNT = 100_000;
/** How often the progress line is updated. */
const PROGRESS_MS = 200;

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Runs random instructions on the software CPU and on KVM, and shows where they differ.')
    .addOption(
      new Option('--mode <mode>', '64-bit ring 3, 32-bit ring 0, or real mode')
        .choices(modeNames)
        .default('long'),
    )
    .option('--seed <n>', 'seed of the random numbers', parseSeed, 1)
    .option(
      '--count <n>',
      `how many instructions (default: ${DEFAULT_COUNT}, or as many as --seconds takes)`,
      parseCount,
    )
    .option('--seconds <n>', 'how long to run', parseDuration)
    .option(
      '--only <mnemonic>',
      'one instruction, by its name in the opcode table: add, imul2, cmovcc as cmov',
    )
    .addOption(new Option('--engine <name>', 'soft: run on the software CPU alone').choices(['soft']))
    .addOption(
      new Option(
        '--cpu-vendor <maker>',
        'whose processor the software CPU models; differences to the host’s that follow from the vendor are explained',
      ).choices(cpuVendors),
    )
    .option('--json', 'print the result as JSON')
    .addOption(
      new Option(
        '--queue <url>',
        'let `terrarium worker` do it, in parts of 20,000 with seeds of their own: redis://HOST:6379',
      ).conflicts(['seconds', 'json']),
    )
    .addHelpText('before', asTyped(examples.trimStart()))
    .addHelpText('after', statuses)
    .action(verify);
}

/** `0`, `42` → a whole number of 32 bits. */
function parseSeed(text: string): number {
  const seed = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(seed < 2 ** 32)) throw new InvalidArgumentError(`'${text}' is not a whole number below 2^32.`);
  return seed;
}

async function verify(flags: VerifyFlags): Promise<void> {
  const { mode, seed, only, seconds } = flags;
  const count = flags.count ?? (seconds === undefined ? DEFAULT_COUNT : Number.POSITIVE_INFINITY);
  if (flags.queue !== undefined) {
    const { engine, cpuVendor, queue } = flags;
    const named = { ...(only && { only }), ...(engine && { engine }), ...(cpuVendor && { cpuVendor }) };
    return verifyByQueue(queue, { mode, seed, count, ...named });
  }
  const until = performance.now() + (seconds ?? Number.POSITIVE_INFINITY);
  const { cpuVendor = 'intel' } = flags;
  const engine = engineByName('soft', { cpuVendor });
  // Without assist: otherwise the software CPU would be checked against itself.
  const oracle = flags.engine === 'soft' ? undefined : engineByName('kvm', { assist: false });
  const vendors = { engine: cpuVendor, oracle: hostCpuVendor() ?? 'intel' };
  const verifier = verifierOf({
    engine,
    mode,
    seed,
    vendors,
    ...(oracle && { oracle }),
    ...(only && { only }),
  });
  try {
    let stopped = false;
    const stop = () => {
      stopped = true;
    };
    process.once('SIGINT', stop);
    const progress = progressLine();
    const { report } = verifier;
    while (!stopped && report.tests < count && performance.now() < until) {
      verifier.step(count - report.tests);
      progress.show(report.tests, report.found.length);
      // Ctrl-C arrives between the batches.
      await new Promise(setImmediate);
    }
    process.off('SIGINT', stop);
    progress.clear();
    const text = formatReport(report, engine.name, oracle?.name);
    process.stdout.write(`${flags.json ? JSON.stringify(summaryOf(report, text), undefined, 2) : text}\n`);
    process.exitCode = report.found.length > 0 ? ExitStatus.expectationFailed : ExitStatus.ok;
  } finally {
    verifier[Symbol.dispose]();
  }
}

function summaryOf(report: VerifierReport, text: string): VerifySummary {
  const { mode, seed, tests, compared, known, refused, found } = report;
  return {
    mode,
    seed,
    tests,
    compared,
    explained: Object.fromEntries(known),
    refused: Object.fromEntries(refused),
    differences: found.map(({ mnemonic, fields, count }) => ({ mnemonic, fields, count })),
    text,
  };
}

function verifierOf(options: {
  engine: Engine;
  oracle?: Engine;
  mode: ModeName;
  seed: number;
  only?: string;
  vendors: Vendors;
}): Verifier {
  try {
    return new Verifier(options);
  } catch (error) {
    if (!(error instanceof RangeError) || options.only === undefined) throw error;
    throw new ConfigError(
      `--only ${options.only}: ${error.message}`,
      `names are those of src/isa/table, such as add, mov, imul2, jcc, movs`,
    );
  }
}

/** One progress line on a terminal; nothing elsewhere. */
function progressLine() {
  const style = styleFor(process.stderr);
  const isTerminal = process.stderr.isTTY === true;
  let last = 0;
  return {
    show(tests: number, kinds: number) {
      const now = performance.now();
      if (!isTerminal || now - last < PROGRESS_MS) return;
      last = now;
      const found = kinds === 0 ? 'no differences' : `${kinds} kinds of differences`;
      process.stderr.write(`\r${style.dim(`${tests.toLocaleString('en-US')} tests, ${found}`)}\u001b[K`);
    },
    clear() {
      if (isTerminal) process.stderr.write('\r\u001b[K');
    },
  };
}
