/**
 * Checks every number of KVM in Terrarium against the kernel's own headers: a C program made from our tables is
 * compiled with <linux/kvm.h> and prints the header's values.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as capabilities from '../../src/engine/kvm/api/capabilities.js';
import * as constants from '../../src/engine/kvm/api/constants.js';
import { errnoNumbers } from '../../src/engine/kvm/api/errno.js';
import * as ioctls from '../../src/engine/kvm/api/ioctls.js';
import * as layout from '../../src/engine/kvm/api/layout.js';
import * as libc from '../../src/engine/kvm/api/libc.js';
import { RING_ENTRIES } from '../../src/engine/kvm/run/coalesced.js';

/** A number in Terrarium and the C expression that must have the same value. */
interface Claim {
  name: string;
  value: number;
  expression: string;
  /** Where the header has it as a macro: one that the installed header lacks is not checked. */
  macro: boolean;
}

const numbers = (table: object): [string, number][] =>
  Object.entries(table).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
const macros = (table: object): Claim[] =>
  numbers(table).map(([name, value]) => ({ name, value, expression: name, macro: true }));

function structures(): Claim[] {
  return Object.entries(layout).flatMap(([struct, fields]) =>
    numbers(fields).map(([field, value]) => ({
      name: `${struct}.${field}`,
      value,
      expression: field === 'sizeof' ? `sizeof(struct ${struct})` : `offsetof(struct ${struct}, ${field})`,
      macro: false,
    })),
  );
}

/** MAP_FIXED and the like are macros; SYS_* are too. */
const claims: Claim[] = [
  ...macros(ioctls),
  ...macros(constants),
  ...macros(capabilities),
  ...macros(errnoNumbers),
  ...macros(libc),
  ...structures(),
  {
    name: 'RING_ENTRIES',
    value: RING_ENTRIES,
    expression: '(4096 - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio)',
    macro: false,
  },
];

function program(): string {
  const lines = claims.map(({ expression, macro }, index) => {
    const print = `printf("${index} %llu\\n", (unsigned long long)(${expression}));`;
    return macro ? `#ifdef ${expression}\n  ${print}\n#endif` : `  ${print}`;
  });
  const headers = [
    'errno.h',
    'fcntl.h',
    'linux/kvm.h',
    'signal.h',
    'stddef.h',
    'stdio.h',
    'sys/eventfd.h',
    'sys/ioctl.h',
    'sys/mman.h',
    'sys/prctl.h',
    'sys/syscall.h',
    'time.h',
  ];
  return [
    '#define _GNU_SOURCE',
    ...headers.map((header) => `#include <${header}>`),
    // Enumerators in glibc, which #ifdef does not see.
    ...['EFD_CLOEXEC', 'EFD_NONBLOCK', 'SIGEV_THREAD_ID'].map((name) => `#define ${name} ${name}`),
    'int main(void) {',
    ...lines,
    '  return 0;',
    '}',
  ].join('\n');
}

function whyNot(): string | false {
  if (spawnSync('gcc', ['--version']).status !== 0) return 'gcc is not installed';
  if (!existsSync('/usr/include/linux/kvm.h')) return '/usr/include/linux/kvm.h is not installed';
  return false;
}

/** The header's values, by the claim's index. */
function ask(): Map<number, number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-layouts-'));
  try {
    const source = path.join(folder, 'layouts.c');
    const binary = path.join(folder, 'layouts');
    writeFileSync(source, program());
    const built = spawnSync('gcc', ['-w', '-o', binary, source], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    const said = spawnSync(binary, { encoding: 'utf8' }).stdout;
    return new Map(
      said
        .trim()
        .split('\n')
        .map((line) => line.split(' ').map(Number) as [number, number]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the numbers of <linux/kvm.h>', { skip: whyNot() }, () => {
  test('every ioctl, constant, size and offset is the header’s', (t) => {
    const said = ask();
    const wrong = claims
      .map(({ name, value }, index) => ({ name, ours: value, header: said.get(index) }))
      .filter(({ ours, header }) => header !== undefined && header !== ours);
    assert.deepEqual(wrong, []);
    const unchecked = claims.filter((_, index) => !said.has(index)).map(({ name }) => name);
    t.diagnostic(`${said.size} checked; ${unchecked.length} not in this header: ${unchecked.join(', ')}`);
    assert.ok(unchecked.length < 10, `the header lacks too much: ${unchecked.join(', ')}`);
    assert.ok(said.size > 500);
  });
});
