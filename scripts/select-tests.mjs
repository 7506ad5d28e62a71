// Selects and orders the test files, for scripts/test.mjs and scripts/dev.mjs.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { alone, apart, first } from '../test/schedule.mjs';
import { root } from './paths.mjs';

/** All test files, by the path of their source from the root. */
export function testFiles(ending = '.test.ts') {
  return ['src', 'test']
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true }).map((file) => path.join(folder, file)),
    )
    .filter((file) => file.endsWith(ending))
    .sort();
}

/**
 * The files and name patterns that words select. A word that is part of a file's path selects files; any other is part of a
 * test's name, and selects the files that contain it, or all files if none contains it: a name may be composed.
 */
export function select(words, files = testFiles()) {
  const isPath = (word) => files.some((file) => file.includes(word));
  const places = words.filter(isPath);
  const names = words.filter((word) => !isPath(word));
  const placed =
    places.length === 0 ? files : files.filter((file) => places.some((word) => file.includes(word)));
  const mention = placed.filter((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    return names.some((name) => text.includes(name));
  });
  return {
    files: mention.length > 0 ? mention : placed,
    patterns: names.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')),
  };
}

/** The most files that share a process: the two processes that run at a time should end together. */
const GROUP = 12;

/**
 * The input of scripts/run-tests.mjs: the built files, divided, grouped and ordered by test/schedule.mjs.
 * @param keepOrder each file separately, in this order
 */
export function schedule(files, { keepOrder = false } = {}) {
  for (const file of [...Object.keys(alone), ...Object.keys(apart), ...first]) {
    if (!existsSync(path.join(root, file)))
      throw new Error(
        `test/schedule.mjs names ${file}, which does not exist: write where it is now, or remove the line`,
      );
  }
  const built = (file) => path.join('build', file.replace(/\.ts$/, '.js'));
  const shared = files.filter((file) => !(file in alone));
  const single = shared.filter((file) => keepOrder || !canShare(file));
  const rank = (file) => (!keepOrder && first.includes(file) ? first.indexOf(file) : first.length);
  single.sort((a, b) => rank(a) - rank(b));
  const [long, rest] = [true, false].map((is) => single.filter((file) => rank(file) < first.length === is));
  const many = shared.filter((file) => !single.includes(file)).map(built);
  const groups = [];
  for (let i = 0; i < many.length; i += GROUP) groups.push(many.slice(i, i + GROUP));
  return {
    shared: [...long.map(built), ...groups, ...rest.map(built)],
    alone: files.filter((file) => file in alone).map(built),
  };
}

/** Whether a file can run in one process with others: it neither changes nor counts anything of the process. */
function canShare(file) {
  if (file in apart || first.includes(file)) return false;
  if (!sharing.some((folder) => file.startsWith(folder))) return false;
  return !selfish.test(readFileSync(path.join(root, file), 'utf8'));
}

/** The tests beside the sources are small; most of those in test/ start programs or machines for seconds. */
const sharing = ['src/'];

/** Hooks that would apply to all tests in the process, its environment, and its resources. */
const selfish =
  /^(?:before|after|beforeEach|afterEach)\(|process\.env\.\w+ = |assign\(process\.env|holdings\(|setFlagsFromString/m;
