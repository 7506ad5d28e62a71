/**
 * The machine's marks in the source: breakpoints in the margin, the current line, bytes beside each line, and why the guest died.
 *
 * @module
 */
import { RangeSetBuilder, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  EditorView,
  GutterMarker,
  gutter,
  WidgetType,
} from '@codemirror/view';

/** The marks. */
export interface Marks {
  readonly breakpoints: readonly number[];
  /** The line that runs next. */
  readonly current: number | undefined;
  /** Where the guest died, and the explanation. */
  readonly death: { readonly line: number; readonly text: string } | undefined;
  /** Address and bytes of each line's code. */
  readonly code: ReadonlyMap<number, string>;
}

export const nothing: Marks = { breakpoints: [], current: undefined, death: undefined, code: new Map() };

export const setMarks = StateEffect.define<Marks>();

export const marks = StateField.define<Marks>({
  create: () => nothing,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMarks)) return effect.value;
    return value;
  },
  provide: (field) =>
    EditorView.decorations.compute([field, 'doc'], (state) => decorate(state.field(field), state.doc)),
});

const currentLine = Decoration.line({ class: 'cm-current', attributes: { 'aria-current': 'step' } });
const deadLine = Decoration.line({ class: 'cm-dead' });

class DeathWidget extends WidgetType {
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  override eq(other: DeathWidget): boolean {
    return other.text === this.text;
  }

  toDOM(): HTMLElement {
    // The editor measures the outer box, which may have no margin.
    const dom = document.createElement('div');
    dom.className = 'death-box';
    const text = dom.appendChild(document.createElement('div'));
    text.className = 'death';
    text.setAttribute('role', 'note');
    text.textContent = this.text;
    return dom;
  }
}

function decorate(
  { current, death }: Marks,
  doc: { lines: number; line(n: number): { from: number; to: number } },
): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const lines = [...new Set([current, death?.line])]
    .filter((line): line is number => line !== undefined && line >= 1 && line <= doc.lines)
    .sort((a, b) => a - b);
  for (const line of lines) {
    const { from, to } = doc.line(line);
    if (line === death?.line) builder.add(from, from, deadLine);
    else builder.add(from, from, currentLine);
    if (line === death?.line)
      builder.add(to, to, Decoration.widget({ widget: new DeathWidget(death.text), block: true, side: 1 }));
  }
  return builder.finish();
}

class Point extends GutterMarker {
  override toDOM(): HTMLElement {
    const dom = document.createElement('span');
    dom.className = 'breakpoint';
    return dom;
  }
}

class Arrow extends GutterMarker {
  override elementClass = 'cm-arrow';
}

class Bytes extends GutterMarker {
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  override eq(other: Bytes): boolean {
    return other.text === this.text;
  }

  override toDOM(): Text {
    return document.createTextNode(this.text);
  }
}

const point = new Point();
const arrow = new Arrow();

/** @param toggle sets or removes a breakpoint */
export function margins(toggle: (line: number) => void) {
  return [
    gutter({
      class: 'cm-points',
      // Where there is no mark, a click sets one.
      renderEmptyElements: true,
      lineMarker(view, { from }) {
        const line = view.state.doc.lineAt(from).number;
        const { breakpoints, current } = view.state.field(marks);
        if (breakpoints.includes(line)) return point;
        return current === line ? arrow : null;
      },
      lineMarkerChange: (update) => update.startState.field(marks) !== update.state.field(marks),
      domEventHandlers: {
        mousedown(view, { from }) {
          toggle(view.state.doc.lineAt(from).number);
          return true;
        },
      },
    }),
    gutter({
      class: 'cm-code',
      lineMarker(view, { from }) {
        const text = view.state.field(marks).code.get(view.state.doc.lineAt(from).number);
        return text === undefined ? null : new Bytes(text);
      },
      lineMarkerChange: (update) => update.startState.field(marks).code !== update.state.field(marks).code,
    }),
  ];
}
