/** The bar on top: the open project, the guest's state, the buttons. */

import { signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { move, reset, run, setPace, snapshot, stop } from './controller.js';
import { drop } from './files.js';
import { shortcuts } from './keys.js';
import { bootHostLinux } from './linux.js';
import { notice } from './notices.js';
import { link, open, startOver } from './opening.js';
import { PanelMenu } from './panel-menu.js';
import { blank, projectOf } from './projects.js';
import * as state from './state.js';
import { remember } from './storage.js';
import { endedWell, shortCount, shortTime } from './words.js';

const real = signal(true);

interface ButtonProps {
  label: string;
  icon: string;
  keys?: string;
  disabled?: boolean;
  strong?: boolean;
  act(): void;
}

function Button({ label, icon, keys, disabled = false, strong = false, act }: ButtonProps) {
  return (
    <button
      type="button"
      class={strong ? 'tool strong' : 'tool'}
      title={keys === undefined ? label : `${label} (${keys})`}
      aria-keyshortcuts={keys}
      disabled={disabled}
      onClick={act}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={icon} />
      </svg>
      <span>{label}</span>
    </button>
  );
}

const icons = {
  run: 'M4 2.5v11l9-5.500z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  step: 'M8 2v7.200l2.600-2.600 1.100 1.100L8 11.400 4.300 7.700l1.100-1.100L8 9.200V2zM4 12.500h8V14H4z',
  line: 'M3 3h10v1.500H3zM3 11.500h10V13H3zM7.200 5.500h1.600v2.200l1-1 .9.900L8 10.300 5.300 7.600l.9-.9 1 1z',
  back: 'M8 14V6.800L5.400 9.400 4.300 8.300 8 4.600l3.700 3.700-1.100 1.100L8 6.800V14zM4 2h8v1.500H4z',
  lineBack:
    'M3 3h10v1.500H3zM3 11.500h10V13H3zM8.800 10.500H7.200V8.300l-1 1-.9-.9L8 5.700l2.700 2.700-.9.900-1-1z',
  runBack: 'M12 2.500v11L3 8z',
  reset: 'M8 3a5 5 0 1 1-4.600 3H5.200A3.300 3.300 0 1 0 8 4.700V7L4.200 3.900 8 .8z',
};

export function Toolbar() {
  const { value: status } = state.status;
  const running = status === 'running';
  const starting = status === 'starting';
  const cannotGoBack = running || state.made.value === undefined || state.made.value.noHistory !== undefined;
  return (
    <header class="bar">
      <h1>
        <img src="icon.svg" alt="" width="24" height="24" />
        <span>Terrarium</span>
      </h1>
      <Picker />
      <div class="tools" role="group" aria-label="Run">
        {running ? (
          <Button label="Pause" icon={icons.pause} keys={shortcuts.pause} strong act={() => void stop()} />
        ) : (
          <Button
            label={goesOn() ? 'Go on' : 'Run'}
            icon={icons.run}
            keys={shortcuts.run}
            strong
            disabled={starting}
            act={() => void run()}
          />
        )}
        <Button
          label="Step"
          icon={icons.step}
          keys={shortcuts.step}
          disabled={running || starting}
          act={() => void move('step')}
        />
        <Button
          label="Line"
          icon={icons.line}
          keys={shortcuts.line}
          disabled={running || starting}
          act={() => void move('stepLine')}
        />
        <i class="gap" />
        <Button
          label="Step back"
          icon={icons.back}
          keys={shortcuts.stepBack}
          disabled={cannotGoBack}
          act={() => void move('stepBack')}
        />
        <Button
          label="Line back"
          icon={icons.lineBack}
          keys={shortcuts.lineBack}
          disabled={cannotGoBack}
          act={() => void move('stepLineBack')}
        />
        <Button
          label="Run back"
          icon={icons.runBack}
          keys={shortcuts.runBack}
          disabled={cannotGoBack}
          act={() => void move('resumeBack')}
        />
        <i class="gap" />
        <Button label="Reset" icon={icons.reset} disabled={starting} act={() => void reset()} />
      </div>
      <StatusLine />
      <Menu />
    </header>
  );
}

/** Run continues a guest that is stopped. */
function goesOn(): boolean {
  return state.status.value === 'stopped' && !state.stale.value && (state.look.value?.history?.now ?? 0) > 0;
}

function Picker() {
  const catalogue = state.catalogue.value;
  const { id, title } = state.project.value;
  const known =
    catalogue?.examples.some((one) => one.id === id) ||
    catalogue?.lessons.some((one) => `lesson/${one.id}` === id);
  const choose = (wanted: string) => {
    if (wanted === 'linux') return void bootHostLinux();
    const lesson = catalogue?.lessons.find((one) => `lesson/${one.id}` === wanted);
    const example = catalogue?.examples.find((one) => one.id === wanted);
    open(lesson ? projectOf(lesson) : (example ?? blank));
  };
  const guests = catalogue?.examples.filter((one) => !one.id.startsWith('mistakes/')) ?? [];
  const mistakes = catalogue?.examples.filter((one) => one.id.startsWith('mistakes/')) ?? [];
  return (
    <select
      class="picker"
      aria-label="Open"
      value={id}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      {!known && id !== 'own' && <option value={id}>{title}</option>}
      <option value="own">A kernel of your own</option>
      {state.hostLinux.value !== undefined && (
        <option value="linux">{`${state.hostLinux.value}, this computer’s kernel`}</option>
      )}
      <optgroup label="Lessons">
        {catalogue?.lessons.map((one) => (
          <option key={one.id} value={`lesson/${one.id}`}>
            {`${state.passed.value[one.id] ? '✓ ' : ''}${one.number}. ${one.title}`}
          </option>
        ))}
      </optgroup>
      <optgroup label="Guests">
        {guests.map((one) => (
          <option key={one.id} value={one.id}>
            {`${one.title}${one.image ? ' (C)' : ''} – ${one.summary}`}
          </option>
        ))}
      </optgroup>
      <optgroup label="Mistakes: why did it die?">
        {mistakes.map((one) => (
          <option key={one.id} value={one.id}>
            {one.title}
          </option>
        ))}
      </optgroup>
    </select>
  );
}

function StatusLine() {
  const { value: status } = state.status;
  const progress = state.progress.value;
  const end = state.end.value;
  const tone =
    status === 'running'
      ? 'run'
      : status !== 'ended' || end === undefined
        ? ''
        : endedWell(end)
          ? 'good'
          : 'bad';
  const text = {
    starting: 'starting …',
    ready: state.complaints.value.length > 0 ? 'the source has errors' : 'ready',
    running: 'running',
    stopped: state.halted.value,
    ended: state.halted.value,
    failed: 'failed',
  }[status];
  const counts =
    progress && state.made.value
      ? `${shortCount(progress.instructions)} instr · ${shortTime(progress.time)}`
      : '';
  return (
    <p class="status" data-status={status} data-moves={state.moves.value}>
      <b class={tone}>{text}</b>
      {state.stale.value && state.made.value !== undefined && status !== 'running' && <em>source changed</em>}
      <small>{counts}</small>
    </p>
  );
}

function Menu() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div class="tools menu" role="group" aria-label="Project">
      <button
        type="button"
        class="tool"
        title="Copy a link to exactly this state"
        onClick={() => void share()}
      >
        Share
      </button>
      <details class="more">
        <summary class="tool" aria-label="More">
          ⋯
        </summary>
        <div class="sheet">
          <button type="button" onClick={() => input.current?.click()}>
            Open files …
          </button>
          <button type="button" disabled={state.made.value === undefined} onClick={() => void save()}>
            Save the moment (.terra)
          </button>
          <button type="button" onClick={startOver}>
            Start this project over
          </button>
          <label>
            <input
              type="checkbox"
              checked={real.value}
              onChange={(event) => {
                real.value = event.currentTarget.checked;
                setPace(real.value);
              }}
            />{' '}
            Guest’s time is real time
          </label>
          <button type="button" onClick={theme}>
            Dark or light
          </button>
          <PanelMenu />
          <dl class="keys">
            {Object.entries(shortcutNames).map(([name, what]) => (
              <div key={name}>
                <dt>{shortcuts[name as keyof typeof shortcuts]}</dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </div>
      </details>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          void drop([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}

const shortcutNames = {
  run: 'run, continue (also Ctrl+Enter)',
  pause: 'pause',
  step: 'one instruction',
  line: 'one line',
  stepBack: 'an instruction back',
  lineBack: 'a line back',
  runBack: 'back to the last breakpoint',
  breakpoint: 'breakpoint in this line',
} as const;

async function share(): Promise<void> {
  try {
    const made = await link();
    history.replaceState(null, '', new URL(made).hash);
    try {
      await navigator.clipboard.writeText(made);
      notice('The link is copied. It holds everything: nothing is sent to a server.');
    } catch {
      notice('The link is in the address bar. It holds everything: nothing is sent to a server.');
    }
  } catch (error) {
    notice((error as Error).message, true);
  }
}

async function save(): Promise<void> {
  const bytes = await snapshot();
  if (bytes === undefined) return;
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = `${state.project.value.title.replace(/[^\w-]+/g, '-')}.terra`;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function theme(): void {
  const root = document.documentElement;
  const dark = root.dataset.theme ?? (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');
  root.dataset.theme = dark === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem('lab.theme', root.dataset.theme);
  } catch {
    remember('theme', root.dataset.theme);
  }
}
