/** A lesson: its page, and the check. */
import { useEffect, useRef } from 'preact/hooks';
import { checkLesson } from '../checking.js';
import { open } from '../opening.js';
import { type Lesson, projectOf } from '../projects.js';
import { hasServer } from '../server.js';
import * as state from '../state.js';
import { endText, words } from '../words.js';

export function LessonPane({ lesson }: { lesson: Lesson }) {
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => top.current?.scrollTo(0, 0), [lesson.id]);
  const next = state.catalogue.value?.lessons.find(({ number }) => number === lesson.number + 1);
  const checked = state.checked.value;
  const done = checked?.results.every(({ ok }) => ok) === true;
  return (
    <>
      <div class="text" ref={top} tabIndex={0} role="region" aria-label={`Lesson ${lesson.number}`}>
        <h2>{`Lesson ${lesson.number}: ${lesson.title}`}</h2>
        <div dangerouslySetInnerHTML={{ __html: lesson.page }} />
      </div>
      <div class="check">
        {lesson.needsCompiler && !hasServer && <p class="hint">{words.needsCompiler}</p>}
        {checked !== undefined && (
          <div class="results" role="status">
            <p class={done ? 'verdict good' : 'verdict'}>
              {done ? 'Done.' : `Not yet. The guest ${endText(checked.end)}.`}
            </p>
            <ul>
              {checked.results.map(({ ok, text, missing, found }) => (
                <li key={text} class={ok ? 'ok' : 'not'}>
                  <code>{text}</code>
                  {!ok && (
                    <p>
                      {missing} <small>{`Found: ${found}.`}</small>
                    </p>
                  )}
                </li>
              ))}
            </ul>
          </div>
        )}
        <button
          type="button"
          class="strong"
          disabled={state.checking.value}
          onClick={() => void checkLesson(lesson)}
        >
          {state.checking.value ? 'Checking …' : 'Check'}
        </button>
        {done && next && (
          <button type="button" onClick={() => open(projectOf(next))}>
            {`Next: ${next.title}`}
          </button>
        )}
      </div>
    </>
  );
}
