/** The check of a lesson: its runs, its expectations, and what the source must contain. */
import { helper, partsNow, report } from './controller.js';
import type { Lesson } from './projects.js';
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
  let first: Awaited<ReturnType<typeof run>> | undefined;
  const run = (input: string | undefined, keys: string | undefined, checks: Lesson['checks']) =>
    tools.ask('check', parts, {
      ...(input !== undefined && { input }),
      ...(keys !== undefined && { keys }),
      expectations: checks.map(({ expect }) => expect),
    });
  for (const { input, keys, checks } of [
    lesson,
    ...(lesson.also ?? []).map((one) => ({ ...one, keys: undefined })),
  ]) {
    const made = await run(input, keys, checks);
    first ??= made;
    for (const [i, { ok, text, found }] of made.results.entries())
      results.push({
        ok: ok && made.why === undefined,
        text,
        found,
        missing: ok && made.why !== undefined ? DIED : checks[i]!.missing,
      });
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
  state.checked.value = { results, end: first!.end, ...(first!.why !== undefined && { why: first!.why }) };
  if (!results.every(({ ok }) => ok)) return;
  state.passed.value = { ...state.passed.value, [lesson.id]: 1 };
  remember('passed', state.passed.value);
}

const withoutComments = (code: string) =>
  code.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|#(?!\s*(?:define|include)).*$/gm, ' ');
