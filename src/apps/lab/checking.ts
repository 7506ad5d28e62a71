/** The check of a lesson: its runs, its expectations, and what the source must contain. */
import {
  changeSources,
  type MachineParts,
  type SourceChange,
  sourcesMatch,
  type TextFile,
  unchanged,
} from '../../browser/index.js';
import { helper, partsNow, report } from './controller.js';
import type { FurtherRun, Lesson } from './projects.js';
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
    const files = change === undefined ? state.files.value : changedFiles(state.files.value, change);
    if (files === undefined) {
      const found = unchanged(change!);
      results.push(
        ...further.checks.map(({ expect, missing }) => ({ ok: false, text: expect, found, missing })),
      );
      continue;
    }
    const given = change === undefined ? parts : await partsNow(files);
    if (given === undefined) return;
    await run({ ...given, spec: { ...given.spec, ...guest } }, further);
  }
  const texts = state.files.value.map(({ text }) => text);
  for (const { matches, missing } of lesson.source ?? []) {
    const ok = sourcesMatch(texts, matches);
    results.push({
      ok,
      missing,
      text: `source~=/${matches}/`,
      found: ok ? 'it is there' : 'it does not exist',
    });
  }
  state.checked.value = { results, end: first.end, ...(first.why !== undefined && { why: first.why }) };
  if (!results.every(({ ok }) => ok)) return;
  state.passed.value = { ...state.passed.value, [lesson.id]: 1 };
  remember('passed', state.passed.value);
}

/** The parts of a check's run. */
type Run = Pick<Lesson, 'input' | 'keys' | 'checks'> & Pick<FurtherRun, 'options'>;

/** The sources with a change; undefined where nothing in them matches. */
function changedFiles(files: readonly TextFile[], change: SourceChange): TextFile[] | undefined {
  const texts = changeSources(
    files.map(({ text }) => text),
    change,
  );
  return texts && files.map(({ name }, i) => ({ name, text: texts[i]! }));
}
