import { readFileSync, statSync } from 'node:fs';
import type { MachineSpec } from '../../config/index.js';
import { ConfigError } from '../../errors.js';

/** All files of fw_cfg together: bytes. */
const MOST = 64 * 1024 * 1024;

/**
 * Reads the files of fw_cfg that a machine's description names; undefined where it names none.
 * @throws ConfigError that names the file
 */
export function openFwCfg({ fwCfg = [] }: MachineSpec): Record<string, Uint8Array> | undefined {
  if (fwCfg.length === 0) return undefined;
  const contents: Record<string, Uint8Array> = {};
  let sum = 0;
  for (const { name, file, text } of fwCfg) {
    if (Object.hasOwn(contents, name))
      throw new ConfigError(`fw_cfg has two files '${name}'`, 'leave one out');
    const bytes = file === undefined ? new TextEncoder().encode(text) : read(name, file, MOST - sum);
    sum += bytes.length;
    contents[name] = bytes;
  }
  return contents;
}

function read(name: string, file: string, room: number): Uint8Array {
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new ConfigError(`--fw-cfg ${name}: ${file} is not a regular file`);
    if (found.size > room)
      throw new ConfigError(
        `--fw-cfg ${name}: ${file} has ${found.size} bytes, and ${room} are left of fw_cfg’s 64M`,
      );
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      code === 'ENOENT'
        ? `--fw-cfg ${name}: ${file}: no such file`
        : `--fw-cfg ${name}: ${file}: open failed with ${code}`,
      'a text is written as NAME=string:TEXT',
    );
  }
}
