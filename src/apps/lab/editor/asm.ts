/**
 * Assembler for the editor: both syntaxes of GNU as, and NASM, coloured word by word.
 *
 * @module
 */
import { StreamLanguage, type StreamParser } from '@codemirror/language';
import { isMnemonic } from './instructions.js';

interface State {
  comment: boolean;
  /** Nothing of the statement has been read yet. */
  start: boolean;
}

const registers =
  /^%?(?:[re]?[abcd]x|[abcd][hl]|[re]?(?:si|di|bp|sp|ip)|(?:si|di|bp|sp)l|r(?:8|9|1[0-5])[dwb]?|[cdefgs]s|cr[0-8]|dr[0-7]|[xy]mm\d{1,2}|mm[0-7]|st(?:\(\d\))?|tr)$/i;
const directives =
  /^(?:bits|org|section|segment|global|extern|default|align|alignb|times|equ|incbin|db|dw|dd|dq|dt|resb|resw|resd|resq|struc|endstruc|istruc|iend|absolute|use16|use32|use64|rep|repe|repz|repne|repnz|lock)$/i;

function parser(nasm: boolean): StreamParser<State> {
  return {
    name: nasm ? 'nasm' : 'gas',
    startState: () => ({ comment: false, start: true }),
    token(stream, state) {
      if (stream.sol()) state.start = true;
      if (state.comment) {
        if (stream.skipTo('*/')) {
          stream.match('*/');
          state.comment = false;
        } else stream.skipToEnd();
        return 'comment';
      }
      if (stream.eatSpace()) return null;
      if (!nasm && stream.match('/*')) {
        state.comment = true;
        return 'comment';
      }
      if (
        !nasm &&
        state.start &&
        stream.match(/^#\s*(?:define|include|if|ifdef|ifndef|else|elif|endif|undef)\b.*/)
      )
        return 'meta';
      if (nasm ? stream.match(';') : stream.match('//') || stream.match('#')) {
        stream.skipToEnd();
        return 'comment';
      }
      if (
        stream.match(/^"(?:[^"\\]|\\.)*"?/) ||
        (nasm && stream.match(/^'[^']*'?/)) ||
        stream.match(/^'\\?.'?/)
      )
        return 'string';
      if (!nasm && stream.match(';')) {
        state.start = true;
        return 'punctuation';
      }
      if (state.start && stream.match(/^(?:[\w.$@]+|\d+):/)) return 'labelName';
      if (stream.match(/^\$?(?:0x[\da-f]+|0b[01]+|\d[\da-f]*h\b|\d+[fb]?)/i)) return 'number';
      if (nasm && state.start && stream.match(/^%\w+/)) return 'meta';
      if (stream.match(/^%[a-z]\w*(?:\(\d\))?/i)) return 'variableName.special';
      const word = stream.match(/^[.$\w@]+/) as RegExpMatchArray | null;
      if (word !== null && word !== undefined) return wordKind(word[0], state);
      stream.next();
      return 'operator';
    },
    languageData: { commentTokens: { line: nasm ? ';' : '//' } },
  };
}

function wordKind(word: string, state: State): string | null {
  const first = state.start;
  if (registers.test(word)) return 'variableName.special';
  if (/^\.[a-z]/.test(word) && first) {
    state.start = false;
    return 'keyword.special';
  }
  if (directives.test(word)) {
    if (!/^(rep|lock)/i.test(word)) state.start = false;
    return 'keyword.special';
  }
  if (first) {
    state.start = false;
    return isMnemonic(word.toLowerCase()) ? 'keyword' : 'labelName';
  }
  return /^\$/.test(word) ? 'number' : 'variableName';
}

const gas = StreamLanguage.define(parser(false));
const nasm = StreamLanguage.define(parser(true));
const c = StreamLanguage.define<{ comment: boolean }>({
  name: 'c',
  startState: () => ({ comment: false }),
  token(stream, state) {
    if (state.comment || stream.match('/*')) {
      state.comment = !stream.skipTo('*/');
      if (state.comment) stream.skipToEnd();
      else stream.match('*/');
      return 'comment';
    }
    if (stream.eatSpace()) return null;
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match(/^#\s*\w+/)) return 'meta';
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'(?:[^'\\]|\\.)*'?/)) return 'string';
    if (stream.match(/^(?:0x[\da-f]+|\d+)[uUlL]*/i)) return 'number';
    const word = stream.match(/^\w+/) as RegExpMatchArray | null;
    if (word === null) {
      stream.next();
      return 'operator';
    }
    if (
      /^(?:if|else|for|while|do|return|break|continue|switch|case|default|goto|sizeof|asm|__asm__|volatile|static|inline|extern|const|struct|union|enum|typedef|register)$/.test(
        word[0],
      )
    )
      return 'keyword';
    return /^(?:void|int|char|short|long|unsigned|signed|bool|\w+_t)$/.test(word[0])
      ? 'typeName'
      : 'variableName';
  },
});

export function languageFor(name: string) {
  if (/\.(asm|nasm|inc)$/.test(name)) return nasm;
  return /\.[Ss]$/.test(name) ? gas : c;
}
