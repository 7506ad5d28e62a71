/** The fields that editors offer in launch.json are those of the table of a machine's fields. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fieldNames, fieldOf, flag, optionWord } from '../../src/config/index.js';

interface Property {
  type?: string | readonly string[];
  enum?: readonly string[];
  description: string;
  default?: unknown;
}

/** The schema of each field that has an option, under the option's name. */
function machineProperties(): Record<string, Property> {
  const properties: Record<string, Property> = {};
  for (const name of fieldNames) {
    const { kind, says, default: usual } = fieldOf(name);
    const word = optionWord(name);
    if (word === undefined) continue;
    const shown = kind === flag ? usual : usual === undefined ? undefined : kind.write(usual);
    properties[word] = {
      ...kind.schema,
      description: `${says.charAt(0).toUpperCase()}${says.slice(1)}`,
      ...(shown !== undefined && { default: shown }),
    };
  }
  return properties;
}

test('the editor’s launch.json knows a machine’s fields, and no others', () => {
  const file = JSON.parse(readFileSync('editors/vscode/package.json', 'utf8'));
  const { properties } = file.contributes.debuggers[0].configurationAttributes.launch;
  const own = ['program', 'stopOnEntry', 'keys', 'sourceFolders', 'cwd', 'args', 'token'];
  const machine = Object.fromEntries(Object.entries(properties).filter(([name]) => !own.includes(name)));
  const expected = JSON.parse(JSON.stringify(machineProperties()));
  assert.deepEqual(
    machine,
    expected,
    `write into the launch properties:\n${JSON.stringify(expected, null, 2)}`,
  );
});
