/** Panes behind tabs, by mouse and by arrow keys. */
import type { ComponentChildren } from 'preact';
import * as state from '../state.js';
import { shortCount } from '../words.js';

export interface Tab {
  readonly name: string;
  readonly title: string;
  readonly pane: ComponentChildren;
  /** It stays in the page while another is shown: a console keeps its lines. */
  readonly keep?: boolean;
  readonly count?: number;
  /** It has new content. */
  readonly mark?: boolean;
}

export function Tabs({ group, tabs }: { group: string; tabs: readonly Tab[] }) {
  const chosen = state.tabs.value[group] ?? tabs[0]!.name;
  const press = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    const at = tabs.findIndex(({ name }) => name === chosen);
    const next = tabs[(at + by + tabs.length) % tabs.length]!;
    state.openTab(group, next.name);
    document.getElementById(`tab-${next.name}`)?.focus();
    event.preventDefault();
  };
  return (
    <div class="tabs">
      <div class="tablist" role="tablist" onKeyDown={press}>
        {tabs.map(({ name, title, count = 0, mark = false }) => (
          <button
            type="button"
            key={name}
            id={`tab-${name}`}
            role="tab"
            aria-selected={name === chosen}
            aria-controls={`pane-${name}`}
            tabIndex={name === chosen ? 0 : -1}
            onClick={() => state.openTab(group, name)}
          >
            {title}
            {count > 0 && <small>{shortCount(count)}</small>}
            {mark && name !== chosen && <i class="mark" role="img" aria-label="new" />}
          </button>
        ))}
      </div>
      {tabs.map(({ name, pane, keep = false }) => (
        <div
          key={name}
          id={`pane-${name}`}
          role="tabpanel"
          aria-labelledby={`tab-${name}`}
          class="pane"
          tabIndex={0}
          hidden={name !== chosen}
        >
          {(keep || name === chosen) && pane}
        </div>
      ))}
    </div>
  );
}
