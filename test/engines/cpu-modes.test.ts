/** docs/cpu-modes.md explains every bit that a guest's first state has, in each mode. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type BootPlan, boot } from '../../src/boot/index.js';
import { GuestMemory } from '../../src/memory/index.js';
import { CR0, CR4, EFER } from '../../src/x86/bits.js';

const page = readFileSync('docs/cpu-modes.md', 'utf8');

/** The part of the page under a heading. */
function section(heading: string): string {
  const [, text] = page.split(`\n## ${heading}\n`);
  assert.ok(text, `no heading '${heading}'`);
  return text.split('\n## ')[0]!;
}

/** The names of the bits that are set. @throws where one has no name. */
function namesOf(value: bigint, bits: Record<string, bigint>): string[] {
  const names = Object.keys(bits).filter((name) => (value & bits[name]!) !== 0n);
  const named = names.reduce((sum, name) => sum | bits[name]!, 0n);
  assert.equal(value & ~named, 0n, `bits 0x${(value & ~named).toString(16)} have no name`);
  return names;
}

/** The text about a mode: its own part, and the parts that it refers to. */
const told = {
  reset: section('Reset'),
  real: section('Real mode'),
  protected: section('Protected mode'),
  paged: section('Paged mode'),
  pae: section('PAE mode') + section('Paged mode'),
  long: section('Long mode') + section('Paged mode'),
} as const;
type ModeName = keyof typeof told;

function started(mode: ModeName): { memory: GuestMemory; plan: BootPlan } {
  const memory = GuestMemory.create([{ address: 0, size: 0x800000 }]);
  const image = new Uint8Array(mode === 'reset' ? 65536 : 16).fill(0xf4);
  return { memory, plan: boot(memory, image, { mode, ...(mode === 'reset' ? {} : { load: 0x8000 }) }) };
}

describe('docs/cpu-modes.md', () => {
  for (const mode of Object.keys(told) as ModeName[]) {
    test(`names each bit of CR0, CR4 and EFER that ${mode} mode sets`, () => {
      const { cr0, cr4, efer } = started(mode).plan.state.system;
      const shared = `${told[mode]}${mode === 'pae' || mode === 'long' || mode === 'paged' ? told.protected : ''}`;
      const names = [...namesOf(cr0, CR0), ...namesOf(cr4, CR4), ...namesOf(efer, EFER)];
      for (const name of names) assert.match(shared, new RegExp(`\`[^\`\n]*\\b${name}\\b[^\`\n]*\``), name);
    });
  }

  test('has the values of the registers', () => {
    const hex = (value: bigint) => value.toString(16).toUpperCase();
    assert.match(told.protected, new RegExp(`= ${hex(started('protected').plan.state.system.cr0)}, CR4 = 0`));
    const grouped = hex(started('paged').plan.state.system.cr0).replace(/^(....)/, '$1_');
    assert.ok(told.paged.includes(`= ${grouped}, CR4 = \`PSE\``));
    assert.match(
      told.long,
      new RegExp(`EFER = \`LME \\| LMA\` = ${hex(started('long').plan.state.system.efer)}`),
    );
    const { system, registers } = started('reset').plan.state;
    const afterReset = told.reset.replaceAll('\n', ' ');
    assert.ok(afterReset.includes(`CR0 = ${hex(system.cr0).replace(/^(....)/, '$1_')} (`));
    assert.ok(afterReset.includes(`EIP = ${hex(registers.rip)}, EDX = ${hex(registers.rdx)}`));
    assert.ok(page.includes(`base register is ${hex(system.apicBase).replace(/^(....)/, '$1_')}`));
  });

  test('has the descriptors of both GDTs, byte for byte', () => {
    for (const mode of ['protected', 'long'] as const) {
      const { memory, plan } = started(mode);
      const gdt = Number(plan.state.system.gdt.base);
      for (let selector = 0; selector <= 0x20; selector += 8) {
        const value = memory
          .read64(gdt + selector)
          .toString(16)
          .toUpperCase()
          .padStart(16, '0');
        const row = section('The GDT')
          .split('\n')
          .find((line) => line.startsWith(`| ${selector.toString(16).padStart(2, '0').toUpperCase()} |`));
        const cell = row?.split('|')[mode === 'long' ? 4 : 2];
        assert.equal(cell?.trim(), `\`${value}\``, `${mode}, selector ${selector.toString(16)}`);
      }
    }
  });

  test('has the bits of the page tables’ entries', () => {
    const entries = (mode: ModeName, levels: number) => {
      const { memory, plan } = started(mode);
      let table = Number(plan.state.system.cr3);
      return Array.from({ length: levels }, () => {
        const entry = mode === 'paged' ? BigInt(memory.read32(table)) : memory.read64(table);
        table = Number(entry & ~0xfffn);
        return (entry & 0xfffn).toString(16).padStart(3, '0');
      });
    };
    assert.deepEqual(entries('paged', 1), ['087']);
    assert.match(told.paged, /^ +0: 00000087 /m);
    assert.deepEqual(entries('pae', 2), ['001', '087']);
    assert.match(told.pae, /…001\)[\s\S]*…087\)/);
    assert.deepEqual(entries('long', 3), ['007', '007', '087']);
    assert.match(told.long, /…007[\s\S]*…007[\s\S]*…087/);
  });
});
