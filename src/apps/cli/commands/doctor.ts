import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import { type CheckStatus, diagnose } from '../../../runtime/index.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { styleFor } from '../../frontend/style.js';

const examples = `
Examples:
  $ terrarium doctor                  what works here, what does not, and what to do
  $ terrarium doctor --json | jq .auto
`;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Says which engine can run guests on this host, by running one, and what to do to use KVM.')
    .option('--json', 'for programs; with npm use npm --silent start -- doctor --json')
    .option('--device <file>', 'the KVM device', '/dev/kvm')
    .addHelpText('before', asTyped(examples.trimStart()))
    .addHelpText(
      'after',
      '\nExit status:\n  0 guests run here, on KVM or on the software CPU; 4 they do not.\n',
    )
    .action((flags: { json?: true; device: string }) => {
      const diagnosis = diagnose(flags.device);
      if (flags.json) process.stdout.write(`${JSON.stringify(diagnosis, null, 2)}\n`);
      else print(diagnosis);
      process.exitCode = diagnosis.auto === null ? ExitStatus.engine : ExitStatus.ok;
    });
}

function print({ usable, auto, checks }: ReturnType<typeof diagnose>): void {
  const style = styleFor(process.stdout);
  const marks: Record<CheckStatus, string> = {
    ok: style.green('✓'),
    info: style.dim('·'),
    warn: style.yellow('!'),
    fail: style.red('✗'),
  };
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, status, found, advice } of checks) {
    process.stdout.write(`${marks[status]} ${name.padEnd(width)}  ${found}\n`);
    for (const line of advice?.split('; ') ?? [])
      process.stdout.write(`  ${' '.repeat(width)}  ${style.dim(line)}\n`);
  }
  const verdict = usable
    ? style.green('This host can run guests, on KVM.')
    : auto === 'soft'
      ? style.green('This host can run guests, on the software CPU.')
      : style.red('This host cannot run guests.');
  process.stdout.write(`\n${style.bold(verdict)}\n`);
}
