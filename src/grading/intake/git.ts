/**
 * Submissions as branches of a Git repository. Files come from Git's objects: nothing is checked out, so that no filter, hook or link
 * of a branch is followed.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import {
  FileCollector,
  type Files,
  SubmissionError,
  shownName,
  submissionLimits,
} from '../../exercises/index.js';

function git(repository: string, words: readonly string[], input?: string): Buffer {
  const done = spawnSync('git', ['-C', repository, '--no-pager', ...words], {
    input: input ?? '',
    maxBuffer: submissionLimits.bytes * 2 + 8 * 1024 * 1024,
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1', LC_ALL: 'C' },
  });
  if (done.error !== undefined)
    throw new SubmissionError(
      `git cannot be run: ${done.error.message}`,
      'install git: sudo apt-get install git',
    );
  if (done.status === 0) return done.stdout;
  throw new SubmissionError(
    `git in ${repository}: ${shownName(done.stderr.toString('utf8').trim())}`,
    'name a repository of this computer: git:REPOSITORY#PATTERN',
  );
}

/** Branches, local and remote, whose name matches: `*` stands for any characters. */
export function branchesOf(repository: string, pattern: string): string[] {
  const words = ['for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/remotes'];
  const names = git(repository, words).toString('utf8').split('\n');
  const matcher = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
  return names
    .filter((name) => name !== '' && !name.endsWith('/HEAD'))
    .filter((name) => matcher.test(shortName(name)))
    .sort();
}

/** A branch without where it is kept: `refs/remotes/origin/alice` and `refs/heads/alice` are `alice`. */
export const shortName = (ref: string) => ref.replace(/^refs\/(?:heads|remotes\/[^/]+)\//, '');

/** The files of a branch. @throws SubmissionError */
export function readBranch(repository: string, ref: string): Files {
  const collector = new FileCollector();
  const listed = git(repository, ['ls-tree', '-r', '-z', '-l', '--full-tree', ref]).toString('utf8');
  const wanted: { name: string; id: string; size: number }[] = [];
  for (const line of listed.split('\0')) {
    const [, mode, type, id, size, name] = /^(\d+) (\w+) ([0-9a-f]+) +(\d+|-)\t(.*)$/s.exec(line) ?? [];
    if (name === undefined || type !== 'blob' || !collector.wants(name)) continue;
    if (mode === '120000')
      throw new SubmissionError(
        `'${shownName(name)}' is a link, which is not followed`,
        'hand in the file itself',
      );
    collector.reserve(name, Number(size));
    wanted.push({ name, id: id!, size: Number(size) });
    if (wanted.length > submissionLimits.files)
      throw new SubmissionError(`the branch has more than ${submissionLimits.files} files`);
  }
  if (wanted.length === 0) return collector.files;
  const bytes = git(repository, ['cat-file', '--batch'], wanted.map(({ id }) => `${id}\n`).join(''));
  let at = 0;
  for (const { name, size } of wanted) {
    const line = bytes.indexOf(10, at);
    collector.add(name, Uint8Array.from(bytes.subarray(line + 1, line + 1 + size)));
    at = line + 1 + size + 1;
  }
  return collector.files;
}
