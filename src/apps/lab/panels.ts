/** Which panels there are, and where: beside the source, below it, or hidden. What the user chooses is remembered. */
import { computed, signal } from '@preact/signals';
import { forget, recall, remember } from './storage.js';

export type Group = 'below' | 'side';

export const titles = {
  console: 'Console',
  screen: 'Screen',
  exits: 'Exits',
  why: 'Why',
  problems: 'Problems',
  code: 'Code',
  stack: 'Stack',
  memory: 'Memory',
  heat: 'Heat',
  tables: 'Tables',
} as const;
export type Panel = keyof typeof titles;
export const panels = Object.keys(titles) as Panel[];

interface Layout {
  readonly below: readonly Panel[];
  readonly side: readonly Panel[];
  readonly registers: boolean;
  readonly time: boolean;
}

const usual: Layout = {
  below: ['console', 'screen', 'exits', 'why', 'problems'],
  side: ['code', 'stack', 'memory', 'heat', 'tables'],
  registers: true,
  time: true,
};

/** What is stored, by this version or another: unknown panels are dropped, and those that it did not know are where they usually are. */
function kept(): Layout {
  const stored = recall('layout', isStored);
  if (stored === undefined) return usual;
  const seen = new Set<string>(stored.hidden);
  const take = (names: readonly string[]) =>
    names.filter((name): name is Panel => {
      const isNew = name in titles && !seen.has(name);
      seen.add(name);
      return isNew;
    });
  const [below, side] = [take(stored.below), take(stored.side)];
  return {
    below: [...below, ...take(usual.below)],
    side: [...side, ...take(usual.side)],
    registers: stored.registers !== false,
    time: stored.time !== false,
  };
}

interface Stored {
  below: string[];
  side: string[];
  hidden: string[];
  registers?: unknown;
  time?: unknown;
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== 'object' || value === null) return false;
  const { below, side, hidden } = value as Record<string, unknown>;
  const isList = (list: unknown) => Array.isArray(list) && list.every((name) => typeof name === 'string');
  return isList(below) && isList(side) && isList(hidden);
}

export const layout = signal<Layout>(kept());
/** The panel of each group that the user has chosen. */
export const chosen = signal<Readonly<Record<Group, string>>>({ below: 'console', side: 'code' });

/** The panel that each group shows. */
export const shown = computed(() => {
  const pick = (group: Group): Panel | undefined =>
    layout.value[group].find((name) => name === chosen.value[group]) ?? layout.value[group][0];
  return { below: pick('below'), side: pick('side') };
});

/** Where a panel is; undefined for a hidden one. */
export function groupOf(panel: Panel): Group | undefined {
  if (layout.value.below.includes(panel)) return 'below';
  return layout.value.side.includes(panel) ? 'side' : undefined;
}

function set(changed: Partial<Layout>): void {
  layout.value = { ...layout.value, ...changed };
  const { below, side } = layout.value;
  const hidden = panels.filter((name) => groupOf(name) === undefined);
  remember('layout', { ...layout.value, below, side, hidden });
}

/** Puts a panel into a group, before another one or as its last, and shows it. */
export function movePanel(panel: Panel, group: Group, before?: Panel): void {
  const without = {
    below: layout.value.below.filter((name) => name !== panel),
    side: layout.value.side.filter((name) => name !== panel),
  };
  const list = [...without[group]];
  const at = before === undefined ? -1 : list.indexOf(before);
  list.splice(at < 0 ? list.length : at, 0, panel);
  set({ ...without, [group]: list });
  chosen.value = { ...chosen.value, [group]: panel };
}

export function hidePanel(panel: Panel): void {
  const { below, side } = layout.value;
  set({
    below: below.filter((name) => name !== panel),
    side: side.filter((name) => name !== panel),
  });
}

/** The parts that have no tab. */
export function showPart(part: 'registers' | 'time', isShown: boolean): void {
  set({ [part]: isShown });
}

export function resetPanels(): void {
  forget('layout');
  layout.value = usual;
  chosen.value = { below: 'console', side: 'code' };
}

/** Shows a panel. @param insist also one that the user has hidden, since the user asks for it */
export function openPanel(panel: Panel, insist = false): void {
  const group = groupOf(panel);
  if (group !== undefined) chosen.value = { ...chosen.value, [group]: panel };
  else if (insist) movePanel(panel, usual.side.includes(panel) ? 'side' : 'below');
}

/** What a link says of the view: other pages may have other panels. */
export function openView(view: Readonly<Record<string, string>>): void {
  for (const name of Object.values(view)) if (name in titles) openPanel(name as Panel);
}
