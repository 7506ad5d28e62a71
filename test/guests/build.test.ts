import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  compileTestGuest,
  type GuestFile,
  knownNeeds,
  noCompiler,
  readGuestImage,
  readGuests,
  rebuildGuest,
  root,
} from './catalogue.js';

const guests = readGuests();

/** A loader's data from an ELF file, as binutils reads it: the entry and the place of each segment. */
function elfLayout(file: string): string {
  const { stdout, status } = spawnSync('readelf', ['-hlW', file], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  assert.equal(status, 0, `readelf cannot read ${file}`);
  const entry = /Entry point address:\s+(\S+)/.exec(stdout)?.[1];
  const loads = [...stdout.matchAll(/^ +LOAD +\S+ (\S+ \S+)/gm)].map((match) => match[1]);
  return [entry, ...loads].join(' | ');
}

describe('the guests folder', () => {
  test('has at least the guests that the documents describe', () => {
    const names = guests.map((guest) => guest.name);
    for (const name of [
      'hello',
      'lj-kernel1',
      'lj-kernel2',
      'lj-kernel3',
      'so2-16bit',
      'so2-long',
      'course-out',
    ]) {
      assert.ok(names.includes(name), name);
    }
    for (const mode of ['real', 'protected', 'paged', 'pae', 'long'])
      assert.ok(names.includes(`khw-${mode}`), mode);
  });

  for (const guest of guests) {
    test(`${guest.name} has its image, its source and a page, and its file says what to expect`, () => {
      assert.equal(guest.name, path.basename(guest.folder));
      for (const file of [guest.image, guest.source, 'README.md']) {
        assert.ok(existsSync(path.join(guest.folder, file)), file);
      }
      assert.ok(readFileSync(path.join(guest.folder, 'README.md'), 'utf8').includes(`guests/${guest.name}`));
      assert.match(guest.expect.outcome, /^(halted|timeout|exited|reset|shutdown)$/);
      assert.equal(typeof guest.expect.console, 'string');
      assert.equal(guest.memory % 4096, 0);
      for (const need of guest.needs ?? []) assert.ok(knownNeeds.includes(need), need);
    });
  }

  test('lists every guest in its own page', () => {
    const page = readFileSync(path.join(root, 'guests/README.md'), 'utf8');
    for (const { name } of guests) assert.ok(page.includes(`[${name}](${name}/`), name);
  });
});

describe('images built again', { skip: noCompiler }, () => {
  const assembled = (guest: GuestFile) => /\.[sS]$/.test(guest.source);

  for (const guest of guests.filter(assembled)) {
    test(`${guest.name} is the committed image to the byte`, () => {
      const { bytes, warnings } = rebuildGuest(guest);
      assert.equal(warnings, '');
      assert.deepEqual(Buffer.from(bytes), Buffer.from(readGuestImage(guest)));
    });
  }

  for (const guest of guests.filter((guest) => !assembled(guest))) {
    test(`${guest.name} is loaded and entered where the committed image is`, async (t) => {
      const { bytes, kind, warnings } = rebuildGuest(guest);
      assert.equal(warnings, '');
      assert.equal(kind, path.extname(guest.image) === '.elf' ? 'elf' : 'flat');
      if (kind === 'flat') return;
      const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
      const os = await import('node:os');
      const folder = mkdtempSync(path.join(os.tmpdir(), 'terrarium-test-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const file = path.join(folder, 'rebuilt');
      writeFileSync(file, bytes);
      assert.equal(elfLayout(file), elfLayout(path.join(guest.folder, guest.image)));
    });
  }

  for (const guest of guests) {
    test(`${guest.name} holds no path of the machine that built it`, () => {
      const text = Buffer.from(rebuildGuest(guest).bytes).toString('latin1');
      assert.ok(!text.includes(root) && !text.includes('/tmp/'));
    });
  }
});

describe('guests for tests', { skip: noCompiler }, () => {
  const names = readdirSync(path.join(root, 'test/guests'))
    .filter((file) => file.endsWith('.S'))
    .map((file) => path.basename(file, '.S'));

  for (const name of names) {
    test(`${name} compiles`, () => {
      assert.ok(compileTestGuest(name).length > 0);
    });
  }
});
