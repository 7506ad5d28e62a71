/** Files that are loaded beside a kernel: which they are, and which are refused. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { type Image, parseImage } from '../../boot/index.js';
import { openBeside } from './beside.js';
import { loadImage } from './image-file.js';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-beside-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);
const file = (name: string, text = name) => {
  writeFileSync(at(name), text);
  return at(name);
};

const kernel: Image = { ...parseImage(Uint8Array.of(0xf4), 'k'), kind: 'multiboot' };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('what is loaded beside a kernel', () => {
  test('is nothing where nothing is named', () => {
    assert.equal(openBeside({}, kernel), undefined);
  });

  test('are files with their names; a module’s arguments stand after a colon', () => {
    const modules = [file('plain'), `${file('with')}:a=1 b:c`, file('co:lon')];
    const found = openBeside({ initrds: [file('one'), file('two')], modules }, kernel);
    const said = (files: typeof found extends undefined ? never : NonNullable<typeof found>['modules']) =>
      files?.map((one) => [one.text, text(one.bytes)]);
    assert.deepEqual(said(found?.initrds), [
      ['one', 'one'],
      ['two', 'two'],
    ]);
    assert.deepEqual(said(found?.modules), [
      ['plain', 'plain'],
      ['with a=1 b:c', 'with'],
      ['co:lon', 'co:lon'],
    ]);
  });

  test('is refused by its size before it is read, where no memory could hold it', () => {
    const large = file('large');
    truncateSync(large, 8 * 1024 ** 3);
    assert.throws(() => openBeside({ initrds: [large] }, kernel), {
      code: 'EIMAGE',
      message: /large: with this file 8589934592 bytes .* memory has 134217728/,
    });
    const half = file('half');
    truncateSync(half, 3 * 1024 * 1024);
    assert.throws(
      () => openBeside({ initrds: [half, half], memory: 4 * 1024 * 1024 }, kernel),
      /6291456 bytes/,
    );
  });

  test('is a file that is there', () => {
    assert.throws(() => openBeside({ initrds: [at('none')] }, kernel), /none: no such file/);
    assert.throws(() => openBeside({ modules: [folder] }, kernel), /not a regular file/);
    assert.throws(() => openBeside({ modules: [':words'] }, kernel), /no such file|not a regular file/);
  });
});

describe('a guest folder', () => {
  const guest = (name: string, said: object) => {
    mkdirSync(at(name));
    writeFileSync(path.join(at(name), 'k.bin'), Uint8Array.of(0xf4));
    writeFileSync(path.join(at(name), 'in'), 'inside');
    writeFileSync(path.join(at(name), 'guest.json'), JSON.stringify({ image: 'k.bin', ...said }));
    return at(name);
  };

  test('names files in it', () => {
    const { spec } = loadImage(guest('good', { initrds: ['in'], modules: ['in:a/../b'] }));
    assert.equal(text(openBeside(spec, kernel)!.initrds![0]!.bytes), 'inside');
    assert.equal(openBeside(spec, kernel)!.modules![0]!.text, 'in a/../b');
  });

  test('names no file of the host’s outside of it', () => {
    file('secret');
    const refused = { code: 'EIMAGE', message: /which is not in the folder/ };
    assert.throws(() => loadImage(guest('above', { initrds: ['../secret'] })), refused);
    assert.throws(() => loadImage(guest('absolute', { modules: [at('secret')] })), refused);
    const linked = guest('linked', { modules: ['link:words'] });
    symlinkSync(at('secret'), path.join(linked, 'link'));
    assert.throws(() => loadImage(linked), refused);
    const colon = guest('colon', { modules: ['a:../../secret'] });
    mkdirSync(path.join(colon, 'a:..'));
    assert.throws(() => {
      const { spec } = loadImage(colon);
      return openBeside(spec, kernel);
    }, /not in the folder|no such file/);
  });
});
