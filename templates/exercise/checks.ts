// Runs a submission and reports its results. `exam.random` follows from the student's seed: the same student always gets the same list.

/** @param {import('terrarium-vm').Exam} exam */
export default function checks(exam) {
  const short = listOf(exam, 3);
  const guest = exam.run({ name: 'a short list', memory: [[0x500, short]] });
  exam.expect(guest, 'outcome=halted', {
    points: 0,
    missing: 'The guest did not end: after the zero, execute HLT.',
  });
  sum(exam, guest, short, 4);

  const long = listOf(exam, exam.random.int(40, 90));
  const hidden = exam.run({ name: 'a long list', memory: [[0x500, long]], hidden: true });
  sum(exam, hidden, long, 6);
}

function listOf(exam, count) {
  return Uint8Array.from({ length: count + 1 }, (_, i) => (i === count ? 0 : exam.random.int(100, 255)));
}

function sum(exam, guest, list, points) {
  const expected = list.reduce((total, byte) => total + byte, 0);
  const found = Number(guest.register('ax'));
  exam.check({
    name: `the sum of ${guest.name}`,
    ok: found === expected && guest.outcome.kind === 'halted',
    points,
    expected,
    found,
    message:
      found === (expected & 0xff)
        ? 'The sum needs 16 bits: clear AH, and add to all of AX.'
        : 'AX must be the sum of the bytes from 0x500 up to the zero.',
    note: 'An addition only to AL loses the carry.',
  });
}
