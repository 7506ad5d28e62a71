/** Archives of real tools, and hostile ones. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type Files, SubmissionError } from '../../exercises/index.js';
import { readArchive, unpackArchive } from './archive.js';
import { branchesOf, readBranch } from './git.js';
import { writeZip } from './zip.js';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-archives-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

mkdirSync(at('in/deep/er'), { recursive: true });
const long = `${'long-name-'.repeat(9)}xxxx.S`;
const content: Record<string, string> = {
  'kernel.S': 'hlt\n'.repeat(1000),
  'deep/er/ü b.h': '#define X 1\n',
  [`deep/er/${long}`]: 'nop\n',
  'empty.c': '',
};
for (const [name, text] of Object.entries(content)) writeFileSync(at(`in/${name}`), text);

const texts = (files: Files) =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));
const python = (program: string, ...words: string[]) =>
  execFileSync('python3', ['-c', program, ...words], { cwd: folder });
const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'SKIPPED: no python3 here';
const ZIP = `
import sys, zipfile
kind, out = sys.argv[1:3]
with zipfile.ZipFile(out, 'w', getattr(zipfile, kind)) as z:
    for name in sys.argv[3:]: z.write('in/' + name, name)
`;

describe('archives of real tools', () => {
  for (const format of ['ustar', 'gnu', 'pax'])
    for (const packed of [false, true])
      test(`tar, ${format}${packed ? ', with gzip' : ''}`, () => {
        const file = at(`${format}.tar${packed ? '.gz' : ''}`);
        execFileSync('tar', [packed ? '-czf' : '-cf', file, `--format=${format}`, '-C', at('in'), '.']);
        assert.deepEqual(texts(readArchive(file)), content);
      });

  for (const kind of ['ZIP_STORED', 'ZIP_DEFLATED'])
    test(`Python’s zipfile, ${kind}`, { skip: noPython }, () => {
      python(ZIP, kind, at('a.zip'), ...Object.keys(content));
      assert.deepEqual(texts(readArchive(at('a.zip'))), content);
    });

  test('our archives are unpacked by Python, and have the same bytes each time', { skip: noPython }, () => {
    const files = new Map(Object.entries(content).map(([name, text]) => [name, Buffer.from(text)]));
    const zip = writeZip(files, new Set(['kernel.S']));
    writeFileSync(at('ours.zip'), zip);
    assert.deepEqual(writeZip(new Map([...files].reverse()), new Set(['kernel.S'])), zip);
    const said = python(
      `import zipfile, json; z = zipfile.ZipFile('ours.zip'); assert z.testzip() is None; print(json.dumps({i.filename: [z.read(i).decode(), i.external_attr >> 16 & 0o777] for i in z.infolist()}))`,
    );
    const modes = Object.entries(content).map(([name, text]) => [
      name,
      [text, name === 'kernel.S' ? 0o755 : 0o644],
    ]);
    assert.deepEqual(JSON.parse(said.toString()), Object.fromEntries(modes));
    assert.deepEqual(texts(unpackArchive(zip)), content);
  });

  test('an archive in an archive is that one', () => {
    const inner = writeZip(new Map([['kernel.S', Buffer.from('hlt\n')]]));
    assert.deepEqual(texts(unpackArchive(writeZip(new Map([['hand-in.zip', inner]])))), {
      'kernel.S': 'hlt\n',
    });
  });
});

const refused = (file: string, message: RegExp) =>
  assert.throws(
    () => readArchive(at(file)),
    (error: Error) => {
      assert.ok(error instanceof SubmissionError, String(error.stack));
      assert.match(error.message, message);
      return true;
    },
  );

describe('hostile archives', () => {
  for (const name of ['../escape.S', '/tmp/escape.S', 'a/../../escape.S', '..\\escape.S', 'C:/escape.S'])
    test(`a ZIP that writes to ${name} is refused`, { skip: noPython }, () => {
      python(
        `import sys, zipfile\nwith zipfile.ZipFile('slip.zip', 'w') as z: z.writestr(sys.argv[1], 'hlt')`,
        name,
      );
      refused('slip.zip', /leads outside/);
    });

  test('a tar that writes outside is refused', () => {
    execFileSync('tar', ['-cf', at('slip.tar'), '-C', at('in'), '--transform=s,^,../../,', 'kernel.S', '-P']);
    refused('slip.tar', /leads outside/);
  });

  test('links are refused in both', { skip: noPython }, () => {
    symlinkSync('/etc/passwd', at('in-link'));
    execFileSync('tar', ['-cf', at('link.tar'), '-C', folder, 'in-link']);
    refused('link.tar', /'in-link' is a link/);
    execFileSync('tar', [
      '-cf',
      at('hard.tar'),
      '--transform=s,empty.c,hard.c,',
      '-C',
      at('in'),
      'kernel.S',
      'empty.c',
    ]);
    assert.equal(readArchive(at('hard.tar')).size, 2);
    python(
      `import zipfile\ni = zipfile.ZipInfo('kernel.S'); i.create_system = 3; i.external_attr = 0o120777 << 16\nwith zipfile.ZipFile('link.zip', 'w') as z: z.writestr(i, '/etc/passwd')`,
    );
    refused('link.zip', /'kernel\.S' is a link/);
  });

  test('bombs end at the limit, even if they give a false size', { skip: noPython }, () => {
    python(
      `import zipfile\nwith zipfile.ZipFile('bomb.zip', 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('kernel.S', b'0' * 60_000_000)`,
    );
    refused('bomb.zip', /larger than 16 MiB/);
    const bytes = readFileSync(at('bomb.zip'));
    const central = bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
    bytes.writeUInt32LE(100, central + 24);
    writeFileSync(at('liar.zip'), bytes);
    refused('liar.zip', /larger than it says/);
    writeFileSync(at('bomb.tar.gz'), gzipSync(Buffer.alloc(100_000_000)));
    refused('bomb.tar.gz', /unpacks to more than 16 MiB/);
    python(
      `import zipfile\nwith zipfile.ZipFile('many.zip', 'w') as z:\n  for i in range(1200): z.writestr('f%d.h' % i, '')`,
    );
    refused('many.zip', /more than 1000 files/);
  });

  test('100 MB are refused before they are read', () => {
    writeFileSync(at('huge.zip'), '');
    execFileSync('truncate', ['-s', '100M', at('huge.zip')]);
    refused('huge.zip', /100 MiB/);
  });

  test('two files of one name, and a password, are refused', { skip: noPython }, () => {
    python(
      `import zipfile, warnings; warnings.simplefilter('ignore')\nwith zipfile.ZipFile('twice.zip', 'w') as z: z.writestr('a.S', '1'); z.writestr('a.S', '2')`,
    );
    refused('twice.zip', /two files with the name/);
    const bytes = writeZip(new Map([['a.S', Buffer.from('hlt')]]));
    bytes.writeUInt16LE(1, bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + 8);
    writeFileSync(at('secret.zip'), bytes);
    refused('secret.zip', /encrypted/);
  });

  test('any damage is refused with a message, or gives files within the limits', () => {
    const zip = writeZip(new Map(Object.entries(content).map(([name, text]) => [name, Buffer.from(text)])));
    execFileSync('tar', ['-cf', at('whole.tar'), '-C', at('in'), '.']);
    const tar = readFileSync(at('whole.tar'));
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(zip, tar), damage, fc.nat(), (whole, changes, cut) => {
        const bytes = Uint8Array.from(
          whole.subarray(0, whole.length - (cut % 3 === 0 ? cut % whole.length : 0)),
        );
        for (const [place, value] of changes) bytes[place % bytes.length] = value;
        try {
          unpackArchive(bytes);
        } catch (error) {
          assert.ok(error instanceof SubmissionError, (error as Error).stack);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('branches', () => {
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', at('repo'), '-c', 'user.name=T', '-c', 'user.email=t@example.org', ...words], {
      stdio: 'pipe',
    });
  mkdirSync(at('repo'));
  git('init', '-q', '-b', 'main');
  git('commit', '-q', '--allow-empty', '-m', 'begin');

  test('are read from Git’s objects, without links and filters', () => {
    git('checkout', '-q', '-b', 'hand-in/ada');
    writeFileSync(at('repo/kernel.S'), 'hlt\n');
    writeFileSync(at('repo/.gitattributes'), '*.S filter=evil\n');
    git('add', '.');
    git('commit', '-q', '-m', 'mine');
    // A checkout would run this filter.
    git('config', 'filter.evil.smudge', `touch ${at('smudged')}`);
    assert.deepEqual(branchesOf(at('repo'), 'hand-in/*'), ['refs/heads/hand-in/ada']);
    assert.equal(texts(readBranch(at('repo'), 'refs/heads/hand-in/ada'))['kernel.S'], 'hlt\n');
    assert.throws(() => readFileSync(at('smudged')));
    git('checkout', '-q', '-b', 'hand-in/eve');
    symlinkSync('/etc/passwd', at('repo/link.S'));
    git('add', '.');
    git('commit', '-q', '-m', 'link');
    assert.throws(() => readBranch(at('repo'), 'refs/heads/hand-in/eve'), /is a link/);
    assert.throws(() => branchesOf(at('in'), '*'), /git in/);
  });
});
