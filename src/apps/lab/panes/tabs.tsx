/** Panels behind tabs: chosen by mouse and by arrow keys, moved by dragging and by Shift with arrow keys, hidden by Delete. */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { type Group, hidePanel, layout, movePanel, openPanel, type Panel, shown, titles } from '../panels.js';
import { shortCount } from '../words.js';

export interface Tab {
  readonly pane: ComponentChildren;
  readonly count?: number;
  /** It has new content. */
  readonly mark?: boolean;
}

/** The type of what is dragged: a tab, and not a file. */
const DRAGGED = 'application/x-terrarium-panel';
/** Where a dragged tab would go. */
const target = signal<{ group: Group; before: Panel | undefined } | undefined>(undefined);

const isTab = (event: DragEvent) => event.dataTransfer?.types.includes(DRAGGED) ?? false;

/** The tab after the pointer. */
function tabAfter(event: DragEvent, names: readonly Panel[]): Panel | undefined {
  const tabs = [...(event.currentTarget as HTMLElement).querySelectorAll('[role=tab]')];
  const at = tabs.findIndex((tab) => {
    const { left, width } = tab.getBoundingClientRect();
    return event.clientX < left + width / 2;
  });
  return names[at];
}

function press(event: KeyboardEvent, group: Group, panel: Panel): void {
  const names = layout.value[group];
  const at = names.indexOf(panel);
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const focus = (name: Panel | undefined) =>
    requestAnimationFrame(() => document.getElementById(`tab-${name}`)?.focus());
  if (event.key === 'Delete') {
    hidePanel(panel);
    focus(shown.value[group]);
  } else if (event.shiftKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    movePanel(panel, group === 'below' ? 'side' : 'below');
    focus(panel);
  } else if (event.shiftKey && by !== undefined) {
    const to = Math.max(0, Math.min(names.length - 1, at + by));
    const rest = names.filter((name) => name !== panel);
    movePanel(panel, group, rest[to]);
    focus(panel);
  } else if (by !== undefined) {
    const next = names[(at + by + names.length) % names.length]!;
    openPanel(next);
    focus(next);
  } else return;
  event.preventDefault();
}

export function Tabs({ group, tabs }: { group: Group; tabs: Readonly<Record<Panel, Tab>> }) {
  const names = layout.value[group];
  const chosen = shown.value[group];
  const to = target.value?.group === group ? target.value : undefined;
  const leave = () => {
    target.value = undefined;
  };
  return (
    <div class="tabs">
      <div
        class={to !== undefined && to.before === undefined ? 'tablist last' : 'tablist'}
        role="tablist"
        aria-label={group === 'below' ? 'Panels below the source' : 'Panels beside the source'}
        onDragOver={(event) => {
          if (!isTab(event)) return;
          event.preventDefault();
          event.stopPropagation();
          target.value = { group, before: tabAfter(event, names) };
        }}
        onDragLeave={leave}
        onDrop={(event) => {
          if (!isTab(event)) return;
          event.preventDefault();
          event.stopPropagation();
          const name = event.dataTransfer!.getData(DRAGGED);
          if (name in titles) movePanel(name as Panel, group, tabAfter(event, names));
          leave();
        }}
      >
        {names.map((name) => {
          const { count = 0, mark = false } = tabs[name];
          return (
            <button
              type="button"
              key={name}
              id={`tab-${name}`}
              role="tab"
              class={to?.before === name ? 'before' : ''}
              title="Drag it, or press Shift with an arrow key, to move it; Delete hides it"
              draggable
              aria-selected={name === chosen}
              aria-controls={`pane-${name}`}
              tabIndex={name === chosen ? 0 : -1}
              onDragStart={(event) => event.dataTransfer?.setData(DRAGGED, name)}
              onDragEnd={leave}
              onClick={() => openPanel(name)}
              onKeyDown={(event) => press(event, group, name)}
            >
              {titles[name]}
              {count > 0 && <small>{shortCount(count)}</small>}
              {mark && name !== chosen && <i class="mark" role="img" aria-label="new" />}
            </button>
          );
        })}
      </div>
      {names.map((name) => (
        <div
          key={name}
          id={`pane-${name}`}
          role="tabpanel"
          aria-labelledby={`tab-${name}`}
          class="pane"
          tabIndex={0}
          hidden={name !== chosen}
        >
          {name === chosen && tabs[name].pane}
        </div>
      ))}
    </div>
  );
}
