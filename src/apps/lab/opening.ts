/**
 * Opens an example, a lesson, a link, a file, or the project that was edited before.
 *
 * @module
 */
import { batch } from '@preact/signals';
import { decodeLink, encodeLink, LinkError, type Shared } from '../../browser/index.js';
import * as controller from './controller.js';
import { notice } from './notices.js';
import { chosen, openPanel, openView } from './panels.js';
import { blank, loadCatalogue, type Project, projectOf } from './projects.js';
import * as state from './state.js';
import { forget, isNumbers, isText, isTexts, recall, remember } from './storage.js';

/** How long after the last key the source is assembled and stored, in milliseconds. */
const QUIET_MS = 250;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Opens the project from the address or from the last visit. */
export async function begin(started: Promise<void>): Promise<void> {
  state.passed.value = recall('passed', isNumbers) ?? {};
  const catalogue = loadCatalogue().then(
    (loaded) => {
      state.catalogue.value = loaded;
    },
    (error) => notice((error as Error).message, true),
  );
  addEventListener('hashchange', () => void openAddress());
  await Promise.all([catalogue, started]);
  if (state.status.value === 'failed') return;
  await openAddress();
}

async function openAddress(): Promise<void> {
  const { hash } = location;
  if (hash.startsWith('#k=')) return openLink(hash);
  const named = decodeURIComponent(hash.slice(1)) || (recall('last', isText) ?? 'hello');
  open(find(named) ?? blank);
}

function find(id: string): Project | undefined {
  const { examples = [], lessons = [] } = state.catalogue.value ?? {};
  const lesson = lessons.find((one) => `lesson/${one.id}` === id);
  return lesson === undefined ? examples.find((one) => one.id === id) : projectOf(lesson);
}

/** Opens a project, as it was edited before. */
export function open(project: Project, keepEdits = true): void {
  void controller.stop();
  const edited = keepEdits ? recall(`files.${project.id}`, isTexts) : undefined;
  const own = project.files.map(({ name, text }) => ({ name, text: edited?.[name] ?? text }));
  batch(() => {
    state.project.value = project;
    state.files.value = own;
    state.spec.value = project.spec;
    state.shown.value = 0;
    state.breakpoints.value = [];
    state.watched.value = [];
    state.dropped.value = undefined;
    state.initrd.value = undefined;
    state.drives.value = [];
    state.complaints.value = [];
    state.checked.value = undefined;
    state.stale.value = true;
    state.made.value = undefined;
    state.look.value = undefined;
    state.end.value = undefined;
    state.why.value = undefined;
    state.exits.value = [];
    state.timeline.value = undefined;
    state.span.value = undefined;
    state.progress.value = undefined;
    state.halted.value = '';
    state.screenText.value = '';
    state.screenSize.value = undefined;
    if (state.status.value !== 'starting') state.status.value = 'ready';
    openPanel(project.spec.vga ? 'screen' : 'console');
  });
  controller.outlets.clear();
  remember('last', project.id);
  if (location.hash.slice(1) !== project.id && !project.id.startsWith('link/'))
    history.replaceState(null, '', `#${project.id}`);
  void controller.lint().catch(controller.report);
}

/** The user has changed a file. */
export function edited(index: number, text: string): void {
  const files = state.files.value;
  if (files[index]?.text === text) return;
  state.files.value = files.map((file, i) => (i === index ? { ...file, text } : file));
  state.stale.value = true;
  clearTimeout(timer);
  timer = setTimeout(() => {
    const { id } = state.project.value;
    remember(`files.${id}`, Object.fromEntries(state.files.value.map(({ name, text }) => [name, text])));
    void controller.lint().catch(controller.report);
  }, QUIET_MS);
}

/** Resets the project to its original content. */
export function startOver(): void {
  const { project } = state;
  forget(`files.${project.value.id}`);
  open(project.value, false);
}

// Links

/** A link to the current state. @throws LinkError where it would be too long */
export async function link(): Promise<string> {
  const { history: range } = state.look.value ?? {};
  const inputs = (await controller.recordedInputs()).filter(({ at }) => at <= (range?.last ?? 0) * 64);
  const shared: Shared = {
    title: state.project.value.title,
    files: state.files.value,
    spec: state.spec.value,
    breakpoints: state.breakpoints.value,
    ...(range && !state.stale.value && { moment: range.now }),
    inputs,
    view: chosen.value,
  };
  return `${location.origin}${location.pathname}#${encodeLink(shared)}`;
}

async function openLink(hash: string): Promise<void> {
  let shared: Shared | undefined;
  try {
    shared = decodeLink(hash);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    open(blank);
    notice(error.message, true);
    return;
  }
  if (shared === undefined) return;
  const { title, files, spec, breakpoints, moment, inputs, view } = shared;
  open({ id: 'link/shared', title, summary: 'from a link', files, spec }, false);
  state.breakpoints.value = breakpoints;
  if (moment !== undefined && (await controller.reset({ inputs })) && moment > 0)
    await controller.runTo(moment);
  openView(view);
}
