/** `--screenshot`: the guest's picture, as a PNG. */

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Picture } from '../../../../devices/contract/index.js';
import { TerrariumError } from '../../../../errors.js';
import type { HostedMachine, Moment } from '../../../../runtime/index.js';
import { isFolder } from '../../../../runtime/index.js';
import { parseCount, parseDuration } from '../../../frontend/values.js';

/** A file, and the moment when its picture is taken; without one, at the end of the run. */
export interface Screenshot {
  file: string;
  moment?: Moment;
}

/** `a.png`, `a.png@HLT`, `a.png@2s`, `a.png@exit:1000`. */
function parse(text: string): Screenshot {
  // A name may have an @ of its own: a moment follows the file's ending.
  const [, file = text, moment] = /^(.*\.png)@(.*)$/is.exec(text) ?? [];
  if (moment === undefined) return { file };
  if (/^hlt$/i.test(moment)) return { file, moment: { at: 'halt' } };
  const [, exit] = /^exit:(.*)$/i.exec(moment) ?? [];
  if (exit !== undefined) return { file, moment: { at: 'exit', exit: parseCount(exit) } };
  if (!/^\d/.test(moment)) {
    throw new InvalidArgumentError(`'${moment}' is not a moment. Write HLT, 2s or 500ms, or exit:1000.`);
  }
  return { file, moment: { at: 'time', milliseconds: parseDuration(moment) } };
}

/** Adds a picture of the run. Mistakes in its file name are reported now, not at the end of a long run. */
export function addScreenshot(text: string, before: readonly Screenshot[] = []): Screenshot[] {
  const added = parse(text);
  const { file } = added;
  if (!/[^/]\.png$/i.test(file)) {
    throw new InvalidArgumentError(`'${file}' is not the name of a PNG: it has to end in .png.`);
  }
  if (before.some((one) => path.resolve(one.file) === path.resolve(file))) {
    throw new InvalidArgumentError(`'${file}' would be written twice. Give each picture a file of its own.`);
  }
  if (!isFolder(path.dirname(file))) {
    throw new InvalidArgumentError(`the folder '${path.dirname(file)}' does not exist.`);
  }
  if (isFolder(file)) throw new InvalidArgumentError(`'${file}' is a folder.`);
  return [...before, added];
}

/** The moments to ask the machine for: all but the end of the run. */
export function momentsOf(screenshots: readonly Screenshot[]): Moment[] {
  return screenshots.flatMap(({ moment }) => moment ?? []);
}

/** Writes each picture at its moment; `finish` writes those whose moment is the end, or did not come. */
export function takeScreenshots(machine: HostedMachine, screenshots: readonly Screenshot[]) {
  const written = new Map<Screenshot, Promise<void>>();
  const write = (screenshot: Screenshot, picture: Picture) => {
    const writing = writePng(screenshot.file, picture);
    // Reported by `finish`, which waits for it.
    writing.catch(() => {});
    written.set(screenshot, writing);
  };
  const timed = screenshots.filter(({ moment }) => moment !== undefined);
  machine.onCaptured((picture, index) => write(timed[index]!, picture));
  return {
    async finish(): Promise<void> {
      const missing = screenshots.filter((screenshot) => !written.has(screenshot));
      const last = missing.length === 0 ? undefined : await machine.screen();
      for (const screenshot of missing) {
        if (screenshot.moment !== undefined) {
          process.stderr.write(
            `terrarium: the moment of ${screenshot.file} did not come: it shows the end of the run\n`,
          );
        }
        if (last !== undefined) write(screenshot, last);
      }
      await Promise.all(written.values());
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
      { hint: 'check that the disk has room, and that you may write to the folder' },
    );
  }
}
