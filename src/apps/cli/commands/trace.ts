import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import { TerrariumError } from '../../../errors.js';
import { formatTraceSummary, TraceFileError, TraceParser, TraceSummary } from '../../../trace/index.js';
import { frameLines } from '../../frontend/frame-lines.js';
import { type LinesRead, readLines } from '../../frontend/line-reader.js';
import { styleFor } from '../../frontend/style.js';
import { traceSvg } from '../../frontend/svg/trace.js';
import { parseCount } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium run guests/hello --trace hello.ndjson      an object per exit
  $ terrarium trace hello.ndjson                         registers, devices, times, a timeline
  $ terrarium trace hello.ndjson --svg hello.svg         the timeline as a picture
  $ terrarium trace hello.ndjson --json | jq .places[0]
  $ terrarium run guests/hello --trace hello.json        for ui.perfetto.dev and chrome://tracing, too
`;

const statuses = `
Exit status:
  0 it was read (a truncated trace is read up to its end); 2 it cannot be read, or is not a trace.
`;

interface TraceFlags {
  svg?: string;
  json?: true;
  top: number;
}

export function traceCommand(): Command {
  return new Command('trace')
    .usage('<file.ndjson | file.json | -> [options]')
    .description(
      'Says what the trace of a run shows: exits by reason, register and device, times, a timeline.',
    )
    .argument('<file>', 'a file of run --trace=FILE.ndjson or FILE.json, or of --net …,pcap=FILE; - is stdin')
    .option('--top <n>', 'rows of a table', parseCount, 15)
    .option('--svg <file>', 'draw the timeline and the histogram')
    .option('--json', 'for programs')
    .addHelpText('before', asTyped(examples.trimStart()))
    .addHelpText('after', statuses)
    .action(trace);
}

function trace(file: string, { svg, json, top }: TraceFlags): void {
  const frames = frameLines(file);
  if (frames !== undefined) {
    for (const line of frames) process.stdout.write(`${line}\n`);
    return;
  }
  const { summary, cut } = summarize(file);
  const data = summary.toJSON();
  if (svg !== undefined) write(svg, traceSvg(file, data));
  if (json) process.stdout.write(`${JSON.stringify({ ...data, cut })}\n`);
  else {
    const { bold, dim } = styleFor(process.stdout);
    const width = process.stdout.columns ?? 100;
    process.stdout.write(`${formatTraceSummary(data, { width, top, bold, dim })}\n`);
  }
  if (cut) process.stderr.write(`terrarium: ${file} is truncated: this is its content up to that point\n`);
}

/** Reads a whole trace. `cut`: it ends in the middle, for example because a disk was full or a process was killed. */
function summarize(file: string): { summary: TraceSummary; cut: boolean } {
  const parser = new TraceParser();
  const summary = new TraceSummary();
  let exits = 0;
  let ended = false;
  const take = (line: string) => {
    ended = line === ']}';
    const record = parser.read(line);
    if (record === undefined) return;
    exits++;
    summary.add(record);
  };
  try {
    const read = readLines(file, take);
    const cut = takeRest(read, take) || (parser.format === 'chrome' && !ended);
    if (exits > 0) return { summary, cut };
    const filtered = parser.format === 'chrome' ? 'it may have been filtered' : 'nothing is in it';
    throw new TraceFileError(`there is no exit in this trace: ${filtered}`);
  } catch (error) {
    if (!(error instanceof TraceFileError)) throw error;
    throw new TerrariumError(error.code, `${file}: ${error.message}`, {
      ...(error.hint && { hint: error.hint }),
    });
  }
}

/** The text after the last newline is a whole line, or the beginning of one. */
function takeRest({ lines, rest }: LinesRead, take: (line: string) => void): boolean {
  if (rest === '') return false;
  try {
    take(rest);
    return false;
  } catch (error) {
    // A file of one broken line is not a truncated trace.
    if (lines === 0) throw error;
    return true;
  }
}

function write(file: string, svg: string): void {
  try {
    writeFileSync(file, svg);
  } catch (cause) {
    throw new TerrariumError(
      'ESVG',
      `the picture ${file} could not be written: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}
