/** `--screenshot`: a picture of what the guest shows, as a PNG. */
import { writeFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { Picture } from '../devices/contract.js';
import { TerrariumError } from '../errors.js';
import type { HostedMachine, Moment } from '../host/index.js';
import { parseCount, parseDuration } from './values.js';

/** A file, and when its picture is taken; without a moment at the end of the run. */
export interface Screenshot {
  file: string;
  moment?: Moment;
}

/** `a.png`, `a.png@HLT`, `a.png@2s`, `a.png@exit:1000`. */
export function parseScreenshot(text: string): Screenshot {
  const at = text.lastIndexOf('@');
  if (at < 0) return { file: text };
  const file = text.slice(0, at);
  const moment = text.slice(at + 1);
  if (file === '') throw new InvalidArgumentError(`'${text}' names no file.`);
  if (/^hlt$/i.test(moment)) return { file, moment: { at: 'halt' } };
  const [, exit] = /^exit:(.*)$/i.exec(moment) ?? [];
  if (exit !== undefined) return { file, moment: { at: 'exit', exit: parseCount(exit) } };
  // A name may have an @ of its own.
  if (!/^[\d.]+\w*$/.test(moment)) return { file: text };
  return { file, moment: { at: 'time', milliseconds: parseDuration(moment) } };
}

/** Writes the picture when its moment comes; `finish` writes that of the end where no other was taken. */
export function takeScreenshot(machine: HostedMachine, { file, moment }: Screenshot) {
  let written: Promise<void> | undefined;
  machine.onCaptured((picture) => {
    written ??= writePng(file, picture);
    // Reported by `finish`, which waits for it.
    written.catch(() => {});
  });
  return {
    async finish(): Promise<void> {
      if (written === undefined && moment !== undefined) {
        process.stderr.write(`terrarium: the moment of ${file} did not come: it shows the end of the run\n`);
      }
      const picture = written === undefined ? await machine.screen() : undefined;
      if (picture !== undefined) written = writePng(file, picture);
      await written;
    },
  };
}

async function writePng(file: string, { width, height, rgba }: Picture): Promise<void> {
  const { PNG } = await import('pngjs');
  const png = new PNG({ width, height });
  png.data = Buffer.from(rgba.buffer, rgba.byteOffset, rgba.byteLength);
  try {
    writeFileSync(file, PNG.sync.write(png, { colorType: 2, inputHasAlpha: true }));
  } catch (cause) {
    throw new TerrariumError(
      'ESCREENSHOT',
      `the picture ${file} could not be written: ${(cause as Error).message}`,
    );
  }
}
