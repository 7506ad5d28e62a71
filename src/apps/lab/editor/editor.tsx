/** The source: CodeMirror with the machine's marks. */
import { autocompletion, closeBrackets, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab, toggleComment } from '@codemirror/commands';
import { HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { effect, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { toggleBreakpoint, typeKeys } from '../controller.js';
import { edited } from '../opening.js';
import { hasServer } from '../server.js';
import * as state from '../state.js';
import { hex, words } from '../words.js';
import { languageFor } from './asm.js';
import { setCursorLine } from './cursor.js';
import { complete, hover, loadInstructions } from './instructions.js';
import { type Marks, margins, marks, setMarks } from './marks.js';

const language = new Compartment();
export const showBytes = signal(true);

const colours = HighlightStyle.define([
  { tag: tags.keyword, class: 'tok-op' },
  { tag: tags.special(tags.keyword), class: 'tok-dir' },
  { tag: tags.meta, class: 'tok-dir' },
  { tag: tags.labelName, class: 'tok-label' },
  { tag: tags.special(tags.variableName), class: 'tok-reg' },
  { tag: tags.number, class: 'tok-num' },
  { tag: tags.string, class: 'tok-str' },
  { tag: tags.comment, class: 'tok-com' },
  { tag: tags.typeName, class: 'tok-reg' },
]);

/** Lines that the user asks to see. */
export const reveal = signal<{ line: number } | undefined>(undefined);

function make(parent: HTMLElement): EditorView {
  return new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        marks,
        margins(toggleBreakpoint),
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        closeBrackets(),
        lintGutter(),
        indentUnit.of('        '),
        EditorState.tabSize.of(8),
        language.of(languageFor('a.S')),
        syntaxHighlighting(colours),
        autocompletion({ override: [complete], activateOnTyping: true }),
        hover,
        keymap.of([
          { key: 'Mod-/', run: toggleComment },
          ...completionKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...defaultKeymap,
          // Tab indents; Escape, then Tab leaves the editor.
          indentWithTab,
        ]),
        EditorView.contentAttributes.of({
          tabindex: '0',
          'aria-label': 'Source code. Escape, then Tab leaves the editor.',
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) edited(state.shown.value, update.state.doc.toString());
          setCursorLine(update.state.doc.lineAt(update.state.selection.main.head).number);
        }),
      ],
    }),
  });
}

function marksNow(): Marks {
  const first = state.shown.value === 0;
  const [main] = state.files.value;
  const here = state.look.value?.source;
  const current =
    first && !state.stale.value && state.status.value !== 'running' && here?.file === main?.name
      ? here?.line
      : undefined;
  const died = state.why.value;
  const dead = first && !state.stale.value && died?.line && died.line.file === main?.name ? died : undefined;
  const code = new Map<number, string>();
  if (first && showBytes.value)
    for (const [line, address, bytes] of state.built.value?.lines ?? []) {
      if (code.has(line)) continue;
      const shown = [...bytes.subarray(0, 4)].map((byte) => hex(byte, 2)).join(' ');
      code.set(line, `${hex(address, 4)}  ${shown}${bytes.length > 4 ? '…' : ''}`);
    }
  return {
    breakpoints: first ? state.breakpoints.value : [],
    current,
    death: dead && {
      line: dead.line!.line,
      text: [dead.explanation.title, dead.explanation.steps[0]?.why, dead.explanation.mistakes[0]]
        .filter((text) => text !== undefined && text !== '')
        .join('\n'),
    },
    code,
  };
}

function diagnosticsNow(view: EditorView): Diagnostic[] {
  const name = state.files.value[state.shown.value]?.name;
  const { doc } = view.state;
  return state.complaints.value.flatMap(({ origin, column, message, hint }) => {
    if (origin.file !== name || origin.line < 1 || origin.line > doc.lines) return [];
    const { from, to, text } = doc.line(origin.line);
    const lead = /^\s*/.exec(text)![0].length;
    const at = Math.min(from + Math.max(column - 1, lead), to);
    const word = /^[\w.%$]+/.exec(text.slice(at - from))?.[0].length ?? 0;
    const end = word > 0 ? at + word : to;
    return [
      {
        from: at,
        to: end,
        severity: 'error' as const,
        message: hint === undefined ? message : `${message} (${hint})`,
      },
    ];
  });
}

export function Editor() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const view = make(place.current!);
    const stops = [
      effect(() => {
        const file = state.files.value[state.shown.value];
        const text = file?.text ?? '';
        if (view.state.doc.toString() !== text)
          view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      }),
      effect(() => {
        const name = state.files.value[state.shown.value]?.name ?? 'a.S';
        view.dispatch({ effects: language.reconfigure(languageFor(name)) });
      }),
      effect(() => {
        const now = marksNow();
        view.dispatch({ effects: setMarks.of(now) });
        const line = now.death?.line ?? now.current;
        if (line !== undefined && line <= view.state.doc.lines)
          view.dispatch({
            effects: EditorView.scrollIntoView(view.state.doc.line(line).from, { y: 'nearest', yMargin: 60 }),
          });
      }),
      effect(() => view.dispatch(setDiagnostics(view.state, diagnosticsNow(view)))),
      effect(() => {
        const wanted = reveal.value;
        if (wanted === undefined || wanted.line > view.state.doc.lines) return;
        const { from } = view.state.doc.line(wanted.line);
        view.dispatch({
          selection: { anchor: from },
          effects: EditorView.scrollIntoView(from, { y: 'center' }),
        });
        view.focus();
      }),
      effect(() => {
        if (state.status.value === 'ready') void loadInstructions();
      }),
    ];
    return () => {
      for (const end of stops) end();
      view.destroy();
    };
  }, []);
  return (
    <>
      <FileTabs />
      {needsCompiler() && !hasServer && <p class="hint">{words.needsCompiler}</p>}
      {state.breakpointProblem.value !== undefined && <p class="hint">{state.breakpointProblem.value}</p>}
      <div class="editor" ref={place} />
    </>
  );
}

function needsCompiler(): boolean {
  const [main] = state.files.value;
  return main !== undefined && /\.(c|cc|cpp|rs|zig)$/.test(main.name);
}

/** Control characters by the names of their keys. */
const keysText = (keys: string) => keys.replaceAll('\n', '⏎').replaceAll('\u001b', '⎋');

function FileTabs() {
  const list = state.files.value;
  const { keys } = state.project.value;
  if (list.length < 1) return null;
  return (
    <div class="files">
      {list.map((file, i) => (
        <button
          type="button"
          key={file.name}
          aria-pressed={state.shown.value === i}
          onClick={() => {
            state.shown.value = i;
          }}
        >
          {file.name}
        </button>
      ))}
      <span class="summary">{state.project.value.summary}</span>
      {keys !== undefined && (
        <button
          type="button"
          class="type-keys"
          title={`Types for you: ${keysText(keys)}`}
          disabled={state.made.value === undefined || state.stale.value}
          onClick={() => typeKeys(keys)}
        >
          Type its keys
        </button>
      )}
      <label class="bytes">
        <input
          type="checkbox"
          checked={showBytes.value}
          onChange={(event) => {
            showBytes.value = event.currentTarget.checked;
          }}
        />{' '}
        bytes
      </label>
    </div>
  );
}
