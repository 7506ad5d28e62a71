/** Subjects of commits are short imperatives, as CONTRIBUTING.md says: `debug: unwind interrupt frames`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { describe, test } from 'node:test';
import { root } from '../support.js';

const LONGEST = 72;
/** Earlier commits were made before the rule. */
const SINCE = '2026-11-30T10:30:00Z';
/** It was published before the test failed, and published history is not rewritten. */
const published = ['878eff8bd7bc7003c754093ed4faaf8a3d47f9f3'];

/** English verbs that look like a participle or a third person. */
const verbs =
  /^(?:bring|embed|exceed|feed|need|ping|proceed|seed|shed|speed|spring|string|access|address|bless|bypass|compress|cross|discuss|dismiss|express|focus|guess|harness|miss|pass|press|process|suppress|toss|bias|canvas)$/;
const form = /(?:ing|[^e]ed|[^s]s)$/;

/** The mistake in a subject; undefined for a good one. */
function wrongWith(subject: string): string | undefined {
  if (subject.length > LONGEST)
    return `it has ${subject.length} characters, and ${LONGEST} are the limit: move the reason to the body`;
  const text = subject.replace(/^[a-z0-9][a-z0-9 ,+/._-]*: /, '');
  const [, first = ''] = /^([A-Za-z]+)/.exec(text) ?? [];
  const verb = first.toLowerCase();
  if (verb.length > 3 && form.test(verb) && !verbs.test(verb))
    return `'${first}' is no imperative: write 'add', not 'added', 'adds' or 'adding'`;
  return text.endsWith('.') ? 'it ends in a full stop' : undefined;
}

/** The commits since the rule, or why they cannot be listed. */
function commits(): { list: [commit: string, subject: string][] } | { skip: string } {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const top = git('rev-parse', '--show-toplevel', '--is-shallow-repository');
  if (top.error !== undefined) return { skip: `SKIPPED: git does not start: ${top.error.message}` };
  if (top.status !== 0) return { skip: `SKIPPED: this folder is no git checkout: ${top.stderr.trim()}` };
  const [folder, shallow] = top.stdout.trim().split('\n');
  if (realpathSync(folder!) !== realpathSync(root))
    return { skip: `SKIPPED: this folder lies inside another checkout: ${folder}` };
  if (shallow === 'true') return { skip: 'SKIPPED: this clone has no history: git fetch --unshallow' };
  const log = git('log', '--no-merges', `--since=${SINCE}`, '--format=%H\t%s');
  if (log.status !== 0) return { skip: `SKIPPED: git log fails: ${log.stderr.trim()}` };
  const lines = log.stdout.split('\n').filter((line) => line !== '');
  const list = lines.map((line) => line.split('\t', 2) as [string, string]);
  return { list: list.filter(([commit]) => !published.includes(commit)) };
}

describe('the subjects of commits', () => {
  const found = commits();
  test('are imperatives of at most 72 characters', { skip: 'skip' in found && found.skip }, () => {
    if ('skip' in found) return;
    const wrong = found.list.flatMap(([commit, subject]) => {
      const problem = wrongWith(subject);
      return problem === undefined ? [] : [`${commit} "${subject}": ${problem}`];
    });
    assert.deepEqual(wrong, [], 'change it with git commit --amend, or git rebase --interactive');
  });

  test('are judged by their length and their first word', () => {
    for (const good of [
      'debug: unwind interrupt frames',
      'Tell of what changed',
      'soft: embed the table',
      'devices, pc: pass levels on',
      'x86: compress names',
    ])
      assert.equal(wrongWith(good), undefined, good);
    assert.match(wrongWith(`bios: ${'a'.repeat(67)}`)!, /73 characters, and 72 are the limit/);
    for (const bad of ['debug: unwinds frames', 'Added a test', 'soft: fixing flags'])
      assert.match(wrongWith(bad)!, /no imperative/);
    assert.match(wrongWith('pc: add a board.')!, /full stop/);
  });
});
