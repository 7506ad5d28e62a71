import type { Model, Prompt } from './model.js';

export type PromptKind =
  | 'breakpointAt'
  | 'watch'
  | 'evaluate'
  | 'memory'
  | 'code'
  | 'moment'
  | 'wrote'
  | 'nextWrite'
  | 'changed'
  | 'held'
  | 'source'
  | 'origin';

/** The prompts after which the guest runs. */
const travels = ['moment', 'wrote', 'nextWrite', 'changed', 'held'] as const;
export type TravelPrompt = (typeof travels)[number];
export type TextPrompt = Exclude<PromptKind, TravelPrompt | 'origin' | 'source'>;

export const isTravel = (kind: PromptKind): kind is TravelPrompt =>
  (travels as readonly PromptKind[]).includes(kind);

const words: Readonly<Record<PromptKind, Pick<Prompt, 'label' | 'hint'>>> = {
  breakpointAt: { label: 'breakpoint at', hint: 'main   kernel.S:12   :12   0x7c00   main if rax == 5' },
  watch: { label: 'watch', hint: 'counter   word [0x500]   qword [rsp+8]' },
  evaluate: { label: 'evaluate', hint: 'rax+8   byte [rsi]   counter   zf   rax = 5' },
  memory: { label: 'memory at', hint: '0x7c00   rsi   es:di   buffer   rsp-16' },
  moment: { label: 'go to', hint: '1000   exit 5   start   end' },
  origin: { label: 'where from', hint: 'rax   counter   qword [rsp+8]' },
  wrote: { label: 'who wrote', hint: 'counter   word [0x500]   qword [rsp+8]' },
  nextWrite: { label: 'next write to', hint: 'counter   word [0x500]   qword [rsp+8]' },
  changed: { label: 'who set', hint: 'rax   cx   xmm0' },
  held: { label: 'go to the', hint: 'first rax == 5   last word [0x500] > 3 && zf' },
  source: { label: 'source of', hint: 'main   kernel.S:12   :12; empty: where the guest is' },
  code: { label: 'code at', hint: 'main   0x7c00   cs:0x10; empty: the next instruction' },
};

/** The longest line that can be typed. */
const LONGEST = 500;

/** The input line at the bottom; each kind of prompt has its own history. */
export class Prompts {
  readonly #history = new Map<PromptKind, string[]>();
  #kind: PromptKind = 'evaluate';
  /** Position in the history; 0 is the line that is being typed. */
  #back = 0;

  open(kind: PromptKind): Prompt {
    this.#kind = kind;
    this.#back = 0;
    return { ...words[kind], text: '' };
  }

  /** @returns the line, when it is complete */
  press(model: Model, key: string): { kind: PromptKind; text: string } | undefined {
    const { prompt } = model;
    if (prompt === undefined) return undefined;
    if (key === 'Escape' || key === 'Ctrl-C') model.prompt = undefined;
    else if (key === 'Enter') return this.#take(model, prompt.text.trim());
    else if (key === 'Backspace') prompt.text = [...prompt.text].slice(0, -1).join('');
    else if (key === 'Ctrl-U') prompt.text = '';
    else if (key === 'ArrowUp' || key === 'ArrowDown') this.#recall(prompt, key === 'ArrowUp' ? 1 : -1);
    else if ([...key].length === 1 && prompt.text.length < LONGEST) prompt.text += key;
    return undefined;
  }

  #take(model: Model, text: string): { kind: PromptKind; text: string } | undefined {
    model.prompt = undefined;
    const kind = this.#kind;
    if (text === '' && kind !== 'code' && kind !== 'source') return undefined;
    this.#history.set(kind, [text, ...(this.#history.get(kind) ?? []).filter((one) => one !== text)]);
    return { kind, text };
  }

  #recall(prompt: Prompt, by: 1 | -1): void {
    const lines = this.#history.get(this.#kind) ?? [];
    this.#back = Math.min(lines.length, Math.max(0, this.#back + by));
    prompt.text = lines[this.#back - 1] ?? '';
  }
}
