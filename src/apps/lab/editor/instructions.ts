/** The instructions' names and help, asked from the Worker once. */
import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { hoverTooltip, type Tooltip } from '@codemirror/view';
import { helper } from '../controller.js';
import * as state from '../state.js';

let names: readonly string[] = [];
let known = new Set<string>();
const helps = new Map<string, Promise<string | undefined>>();

export async function loadInstructions(): Promise<void> {
  names = (await helper()?.ask('mnemonics')) ?? [];
  known = new Set(names);
}

/** Until the table is loaded, each word that looks like an instruction counts as one. */
export function isMnemonic(word: string): boolean {
  return known.size === 0 || known.has(word) || (/[bwlq]$/.test(word) && known.has(word.slice(0, -1)));
}

export function helpFor(mnemonic: string): Promise<string | undefined> {
  let help = helps.get(mnemonic);
  if (help === undefined) {
    help = helper()?.ask('help', mnemonic) ?? Promise.resolve(undefined);
    helps.set(mnemonic, help);
  }
  return help;
}

const registerNames = (() => {
  const wide = ['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp'];
  const numbered = Array.from({ length: 8 }, (_, i) => `r${i + 8}`);
  return [
    ...wide.flatMap((name) => [name, `e${name}`, `r${name}`]),
    ...[
      'al',
      'ah',
      'bl',
      'bh',
      'cl',
      'ch',
      'dl',
      'dh',
      'cs',
      'ds',
      'es',
      'fs',
      'gs',
      'ss',
      'cr0',
      'cr2',
      'cr3',
      'cr4',
    ],
    ...numbered.flatMap((name) => [name, `${name}d`]),
  ];
})();

const gasDirectives =
  'ascii asciz byte word short long quad zero skip fill org align balign globl global section text data bss code16 code32 code64 set equ macro endm rept endr include incbin if else endif intel_syntax att_syntax'
    .split(' ')
    .map((word) => `.${word}`);

const nasmDirectives =
  'bits org section global extern db dw dd dq times resb resw resd resq equ align incbin %define %macro %endmacro %rep %endrep %if %else %endif %include'.split(
    ' ',
  );

/** Mnemonics at a statement's start, registers and labels after it. */
export function complete(context: CompletionContext): CompletionResult | null {
  const word = context.matchBefore(/[.%\w]+/);
  if (word === null || (word.from === word.to && !context.explicit)) return null;
  const line = context.state.doc.lineAt(context.pos);
  const lead = line.text.slice(0, word.from - line.from);
  if (/(?:\/\/|;|#).*$/.test(lead) || /"[^"]*$/.test(lead)) return null;
  const start = /^\s*(?:[\w.$]+:\s*)?$/.test(lead);
  if (start) {
    const plain = names.map((label) => ({ label, type: 'keyword' }));
    const [main] = state.files.value;
    const directives = /\.(asm|nasm)$/.test(main?.name ?? '') ? nasmDirectives : gasDirectives;
    const dotted = directives.map((label) => ({ label, type: 'namespace' }));
    return { from: word.from, options: [...plain, ...dotted], validFor: /^[.%\w]*$/ };
  }
  const percent = word.text.startsWith('%') ? '%' : '';
  const labels = new Set(
    [...context.state.doc.toString().matchAll(/^\s*([A-Za-z_.$][\w.$]*):/gm)].map(([, label]) => label!),
  );
  return {
    from: word.from,
    options: [
      ...registerNames.map((name) => ({ label: `${percent}${name}`, type: 'variable' })),
      ...[...labels].map((label) => ({ label, type: 'function' })),
    ],
    validFor: /^[%.\w]*$/,
  };
}

/** The instruction's help when the mouse is over its name. */
export const hover = hoverTooltip(async (view, at): Promise<Tooltip | null> => {
  const line = view.state.doc.lineAt(at);
  const match = /^(\s*(?:[\w.$]+:\s*)?(?:(?:rep\w*|lock)\s+)?)([a-z]\w*)/i.exec(line.text);
  if (match === null) return null;
  const from = line.from + match[1]!.length;
  const to = from + match[2]!.length;
  if (at < from || at > to) return null;
  const help = await helpFor(match[2]!.toLowerCase());
  if (help === undefined) return null;
  return {
    pos: from,
    end: to,
    above: true,
    create: () => {
      const dom = document.createElement('pre');
      dom.className = 'help';
      dom.textContent = help;
      return { dom };
    },
  };
});
