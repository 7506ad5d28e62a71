/** The page's frame: bar, panes, timeline. */
import { useEffect, useState } from 'preact/hooks';
import { Editor } from './editor/editor.js';
import { drop } from './files.js';
import { onKey } from './keys.js';
import { Splitter, sizes } from './layout.js';
import { notices } from './notices.js';
import { layout, type Panel, shown } from './panels.js';
import { Code } from './panes/code.js';
import { Console } from './panes/console.js';
import { Exits } from './panes/exits.js';
import { Heat } from './panes/heat.js';
import { LessonPane } from './panes/lesson.js';
import { Memory } from './panes/memory.js';
import { Problems } from './panes/problems.js';
import { Registers } from './panes/registers.js';
import { Screen } from './panes/screen.js';
import { Stack } from './panes/stack.js';
import { Tables } from './panes/tables/index.js';
import { type Tab, Tabs } from './panes/tabs.js';
import { Timeline } from './panes/timeline.js';
import { Why } from './panes/why.js';
import * as state from './state.js';
import { Toolbar } from './toolbar.js';

export function App() {
  const [dragged, setDragged] = useState(false);
  useEffect(() => {
    addEventListener('keydown', onKey, { capture: true });
    return () => removeEventListener('keydown', onKey, { capture: true });
  }, []);
  if (state.failure.value !== undefined) return <Failed {...state.failure.value} />;
  const lesson = state.project.value.lesson;
  const { side, below, page } = sizes.value;
  const hasSide = layout.value.registers || layout.value.side.length > 0;
  const style = `--side: ${hasSide ? side : 0}px; --below: ${below}px; --page: ${page}px`;
  return (
    <div
      class={`app${lesson ? ' has-lesson' : ''}${dragged ? ' dragged' : ''}`}
      style={style}
      onDragOver={(event) => {
        event.preventDefault();
        setDragged(event.dataTransfer?.types.includes('Files') ?? false);
      }}
      onDragLeave={(event) => event.relatedTarget === null && setDragged(false)}
      onDrop={(event) => {
        event.preventDefault();
        setDragged(false);
        void drop([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <Toolbar />
      {lesson && (
        <aside class="page" aria-label="Lesson">
          <LessonPane lesson={lesson} />
          <Splitter of="page" label="Width of the lesson" />
        </aside>
      )}
      <main class={shown.value.below === 'screen' ? 'middle tall' : 'middle'}>
        <section class="source" aria-label="Source">
          <Editor />
        </section>
        {layout.value.below.length > 0 && (
          <section class="below" aria-label="Output">
            <Splitter of="below" label="Height of the output" />
            <Tabs group="below" tabs={tabs()} />
          </section>
        )}
      </main>
      {hasSide && (
        <aside class="side" aria-label="Machine">
          <Splitter of="side" label="Width of the machine's panes" />
          {layout.value.registers && <Registers />}
          {layout.value.side.length > 0 && <Tabs group="side" tabs={tabs()} />}
        </aside>
      )}
      {layout.value.time && (
        <footer class="time" aria-label="Time">
          <Timeline />
        </footer>
      )}
      <Notices />
    </div>
  );
}

function tabs(): Record<Panel, Tab> {
  return {
    console: { pane: <Console /> },
    screen: { pane: <Screen />, mark: state.screenIsNew.value },
    exits: { pane: <Exits />, count: state.timeline.value?.total ?? 0 },
    why: { pane: <Why />, mark: state.why.value !== undefined },
    problems: { pane: <Problems />, count: state.complaints.value.length },
    code: { pane: <Code /> },
    stack: { pane: <Stack /> },
    memory: { pane: <Memory /> },
    heat: { pane: <Heat /> },
    tables: { pane: <Tables /> },
  };
}

function Notices() {
  const notice = notices.value;
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice && (
        <p class={notice.bad ? 'notice bad' : 'notice'}>
          {notice.text}
          <button
            type="button"
            aria-label="Close this message"
            onClick={() => {
              notices.value = undefined;
            }}
          >
            ×
          </button>
        </p>
      )}
    </div>
  );
}

function Failed({ title, text }: { title: string; text: string }) {
  return (
    <main class="loading">
      <h1>{title}</h1>
      <p>{text}</p>
    </main>
  );
}
