/** The list of panels in the menu: where each is, or that it is hidden. */
import { resetSizes } from './layout.js';
import {
  type Group,
  groupOf,
  hidePanel,
  layout,
  movePanel,
  type Panel,
  panels,
  resetPanels,
  showPart,
  titles,
} from './panels.js';

const parts = { registers: 'Registers', time: 'Time' } as const;

export function PanelMenu() {
  const place = (panel: Panel, where: string) => {
    if (where === 'hidden') hidePanel(panel);
    else movePanel(panel, where as Group);
  };
  return (
    <details class="panel-menu">
      <summary>Panels</summary>
      <p>Drag a tab to move it, or press Shift with an arrow key on it. Delete hides it.</p>
      <ul>
        {panels.map((panel) => (
          <li key={panel}>
            <label>
              {titles[panel]}
              <select
                value={groupOf(panel) ?? 'hidden'}
                onChange={(event) => place(panel, event.currentTarget.value)}
              >
                <option value="side">beside the source</option>
                <option value="below">below the source</option>
                <option value="hidden">hidden</option>
              </select>
            </label>
          </li>
        ))}
        {Object.entries(parts).map(([part, title]) => (
          <li key={part}>
            <label>
              {title}
              <input
                type="checkbox"
                checked={layout.value[part as keyof typeof parts]}
                onChange={(event) => showPart(part as keyof typeof parts, event.currentTarget.checked)}
              />
            </label>
          </li>
        ))}
      </ul>
      <button
        type="button"
        onClick={() => {
          resetPanels();
          resetSizes();
        }}
      >
        Reset the layout
      </button>
    </details>
  );
}
