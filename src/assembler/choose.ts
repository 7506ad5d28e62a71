/**
 * Chooses one of several encodings: the operand size if the source does not say it, then the shortest.
 *
 * @module
 */
import { type CodeSize, operandBytes } from '../isa/index.js';
import { type Dialect, type Encoded, EncodeError, encodeFit, isConsistent, isFalseNop } from './encode.js';
import { type Fit, fitsOf, type Known } from './fit.js';
import { formsOf } from './forms.js';
import { type AsmInstruction, type AsmOperand, needsLongMode, type Register } from './operand.js';

/** The code's default operand size. */
function defaultSize({ form: { row } }: Fit, code: CodeSize): number {
  if (code !== 64) return code;
  return row.default64 || row.force64 ? 64 : 32;
}

/** True where the instruction accesses the same number of bytes of memory with each fit: XMM registers are wider than MOVQ's operand. */
function sameMemory(fits: readonly Fit[], { operands }: AsmInstruction, code: CodeSize): boolean {
  const bytes = fits.map((fit) => {
    const notation = fit.form.notations[operands.findIndex(({ kind }) => kind === 'memory')];
    return notation === undefined
      ? 0
      : operandBytes(notation.memory[1], fit.size ?? defaultSize(fit, code), fit.form.row);
  });
  return bytes[0] !== 0 && bytes.every((one) => one === bytes[0]);
}

/** Among fits with different operand sizes: those of the default size, where it is allowed. */
function settleSize(
  fits: readonly Fit[],
  instruction: AsmInstruction,
  code: CodeSize,
  dialect: Dialect,
): readonly Fit[] {
  const sizes = new Set(fits.map(({ main }) => main));
  const { operands } = instruction;
  // Registers, and memory with an explicit size, determine the size.
  const isSaid =
    operands.length > 0 &&
    operands.every((one) => one.kind === 'register' || (one.kind === 'memory' && one.size !== undefined));
  if (sizes.size < 2 || isSaid || sameMemory(fits, instruction, code)) return fits;
  const usual = fits.filter((fit) => fit.size === undefined || fit.size === defaultSize(fit, code));
  const free = fits.every(
    ({ form: { row } }) => row.spelling.mnemonic.endsWith('+') || row.force64 || /far/.test(row.name),
  );
  const inMemory = operands.some(({ kind }) => kind === 'memory');
  if (free || !inMemory || dialect.guess) {
    const wide = usual.filter(({ main }) => main * 8 === defaultSize(usual[0]!, code));
    if (wide.length > 0) return wide;
    if (usual.length > 0) return usual;
  }
  throw new EncodeError(
    `how many bytes of memory ${instruction.mnemonic} takes is not said`,
    dialect.prefixes === 'gas'
      ? 'add a suffix (b, w, l, q) to the mnemonic'
      : 'write byte, word, dword or qword before the operand',
  );
}

function describe(operand: AsmOperand): string {
  switch (operand.kind) {
    case 'register':
      return operand.name;
    case 'memory':
      return operand.size === undefined ? 'memory' : `${operand.size} bytes of memory`;
    case 'immediate':
      return 'a number';
    case 'target':
      return 'an address to go to';
    case 'far':
      return 'a far pointer';
  }
}

/** The error if no row fits. */
function misfit({ mnemonic, operands, size }: AsmInstruction, code: CodeSize): EncodeError {
  const forms = formsOf(mnemonic);
  if (forms.every(({ row }) => (code === 64 ? row.no64 : row.only64))) {
    return new EncodeError(`'${mnemonic}' is no instruction of ${code}-bit code`);
  }
  const counts = [...new Set(forms.map(({ notations }) => notations.length))];
  if (!counts.includes(operands.length)) {
    return new EncodeError(
      `'${mnemonic}' takes ${counts.sort().join(' or ')} operands, not ${operands.length}`,
    );
  }
  const long = operands.find((one) => one.kind === 'register' && needsLongMode(one));
  if (code !== 64 && long?.kind === 'register')
    return new EncodeError(`${long.name} is a register of 64-bit code`);
  const general = operands.filter(
    (one): one is Register => one.kind === 'register' && one.class === 'general',
  );
  const said = size === undefined ? '' : ` with ${size} bytes`;
  if (general.length > 1 && new Set(general.map((one) => one.size)).size > 1) {
    return new EncodeError(`${general.map(({ name }) => name).join(' and ')} are not of the same size`);
  }
  return new EncodeError(
    `'${mnemonic}'${said} does not take ${operands.map(describe).join(', ') || 'no operands'}`,
  );
}

/**
 * All encodings of an instruction, the shortest first; of a branch to a label its short and its near form.
 * @throws EncodeError
 */
export function encodings(
  instruction: AsmInstruction,
  code: CodeSize,
  known: Known,
  dialect: Dialect,
): Encoded[] {
  const fits = fitsOf(formsOf(instruction.mnemonic), instruction, code, known).filter(
    (fit) => isConsistent(fit, code) && !isFalseNop(fit, code),
  );
  if (fits.length === 0) throw misfit(instruction, code);
  const settled = settleSize(fits, instruction, code, dialect);
  let refused: EncodeError | undefined;
  const encoded = settled.flatMap((fit) => {
    try {
      return [{ fit, ...encodeFit(fit, instruction, code, known, dialect) }];
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
      refused = error;
      return [];
    }
  });
  if (encoded.length === 0) throw refused ?? misfit(instruction, code);
  // NASM encodes `fadd st0, st0` as the form that writes ST(i).
  const [to] = instruction.operands;
  const toRegister = to?.kind === 'register' && to.name === 'st0' && dialect.prefixes === 'nasm';
  if (toRegister && encoded.length === 2) return encoded.sort((a, b) => b.fit.form.order - a.fit.form.order);
  return encoded.sort((a, b) => rank(a.fit, a.bytes) - rank(b.fit, b.bytes));
}

/** The shortest; of several, one that sign-extends a byte, then the first of the table. */
function rank({ form, fields }: Fit, bytes: Uint8Array): number {
  return (
    bytes.length * 1e6 +
    (fields.immediate?.size === 1 ? 0 : 1e5) +
    (form.row.name === 'movd' ? 1e4 : 0) +
    form.order
  );
}
