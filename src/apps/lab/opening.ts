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
/** The most bytes of a dropped file. */
const MOST_BYTES = 512 * 2 ** 20;

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

// Files

/** Opens files that are dropped on the page: sources, images, disks, snapshots. */
export async function drop(list: readonly File[]): Promise<void> {
  for (const file of list) {
    if (file.size > MOST_BYTES) {
      notice(
        `${file.name} has ${file.size} bytes: the lab opens files of up to ${MOST_BYTES / 2 ** 20} MiB`,
        true,
      );
      continue;
    }
    try {
      await openFile(file);
    } catch (error) {
      controller.report(error);
    }
  }
}

async function openFile(file: File): Promise<void> {
  const { name } = file;
  if (/\.terra$/.test(name)) {
    open({ ...blank, id: 'file/terra', title: name, summary: 'a snapshot', files: [], spec: {} }, false);
    await controller.openTerra(new Uint8Array(await file.arrayBuffer()));
  } else if (/\.(S|s|asm|nasm)$/.test(name)) {
    const text = await file.text();
    open({ ...blank, id: `file/${name}`, title: name, files: [{ name, text }], spec: {} }, false);
  } else if (/\.(h|inc)$/.test(name)) {
    const text = await file.text();
    state.files.value = [...state.files.value.filter((one) => one.name !== name), { name, text }];
    state.stale.value = true;
    notice(`${name} was added to the project`);
  } else if (
    /\.(iso|img|ima|flp|dsk)$/i.test(name) &&
    state.made.value !== undefined &&
    !/\.iso$/i.test(name)
  ) {
    const kind = [163840, 184320, 327680, 368640, 737280, 1228800, 1474560, 2949120].includes(file.size)
      ? 'floppy'
      : 'disk';
    const bytes = new Uint8Array(await file.arrayBuffer());
    state.drives.value = [...state.drives.value, { kind, file: name, bytes }];
    state.stale.value = true;
    notice(
      `${name} is in the machine as a ${kind === 'disk' ? 'hard disk' : 'floppy disk'}: run the guest again`,
    );
  } else {
    const bytes = new Uint8Array(await file.arrayBuffer());
    open(
      { ...blank, id: `file/${name}`, title: name, summary: 'an image', files: [], spec: { vga: true } },
      false,
    );
    state.dropped.value = bytes;
    await controller.run();
  }
}
