/** The check of a lesson: its runs, its expectations, and what the source must contain. */
import type { MachineParts } from '../../browser/index.js';
import { helper, partsNow, report } from './controller.js';
import type { FurtherRun, Lesson, TextFile } from './projects.js';
import * as state from './state.js';
import { remember } from './storage.js';

const DIED = 'This does not count yet, since the guest died: see “Why”.';

export async function checkLesson(lesson: Lesson): Promise<void> {
  if (state.checking.value) return;
  state.checking.value = true;
  state.checked.value = undefined;
  try {
    await check(lesson);
  } catch (error) {
    report(error);
  } finally {
    state.checking.value = false;
  }
}

async function check(lesson: Lesson): Promise<void> {
  const tools = helper();
  const parts = await partsNow();
  if (tools === undefined || parts === undefined) return;
  const results: state.LessonResult[] = [];
  const run = async (given: MachineParts, { input, keys, options, checks }: Run) => {
    const made = await tools.ask('check', given, {
      ...(input !== undefined && { input }),
      ...(keys !== undefined && { keys }),
      ...(options !== undefined && { options }),
      expectations: checks.map(({ expect }) => expect),
    });
    for (const [i, { ok, text, found }] of made.results.entries())
      results.push({
        ok: ok && made.why === undefined,
        text,
        found,
        missing: ok && made.why !== undefined ? DIED : checks[i]!.missing,
      });
    return made;
  };
  const first = await run(parts, lesson);
  for (const further of lesson.also ?? []) {
    const { guest, change } = further;
    const files = change === undefined ? state.files.value : changedFiles(change);
    if (files === undefined) {
      const found = `nothing in the source matches ${change!.from}`;
      results.push(
        ...further.checks.map(({ expect, missing }) => ({ ok: false, text: expect, found, missing })),
      );
      continue;
    }
    const given = change === undefined ? parts : await partsNow(files);
    if (given === undefined) return;
    await run({ ...given, spec: { ...given.spec, ...guest } }, further);
  }
  const code = state.files.value.map(({ text }) => withoutComments(text)).join('\n');
  for (const { matches, missing } of lesson.source ?? []) {
    const ok = new RegExp(matches, 'm').test(code);
    results.push({
      ok,
      missing,
      text: `source~=/${matches}/`,
      found: ok ? 'it is there' : 'it is not there',
    });
  }
  state.checked.value = { results, end: first.end, ...(first.why !== undefined && { why: first.why }) };
  if (!results.every(({ ok }) => ok)) return;
  state.passed.value = { ...state.passed.value, [lesson.id]: 1 };
  remember('passed', state.passed.value);
}

/** What a run of a check is made with. */
type Run = Pick<Lesson, 'input' | 'keys' | 'checks'> & Pick<FurtherRun, 'options'>;

/** The sources with a change; undefined where nothing in them matches. */
function changedFiles({ from, to }: NonNullable<FurtherRun['change']>): TextFile[] | undefined {
  let changes = 0;
  const files = state.files.value.map(({ name, text }) => ({
    name,
    text: text.replace(new RegExp(from, 'gm'), () => {
      changes++;
      return to;
    }),
  }));
  return changes === 0 ? undefined : files;
}

const withoutComments = (code: string) =>
  code.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|#(?!\s*(?:define|include)).*$/gm, ' ');
