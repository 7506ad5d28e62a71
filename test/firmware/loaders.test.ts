/**
 * Boot loaders, unchanged from Debian's packages, on Terrarium's BIOS and on SeaBIOS: GRUB starts our kernels from its
 * rescue CD, ISOLINUX too. QEMU's PC shows the same with the same CD.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  boot,
  bootInQemu,
  grubCd,
  isolinuxCd,
  kernel,
  noFastKvm,
  noGrub,
  noIsolinux,
  noQemu,
  SEABIOS,
  without,
} from './systems.js';

const noSeaBios = without({ [SEABIOS]: 'seabios' });
const firmwares = [
  { name: 'our BIOS', options: {}, missing: false },
  { name: 'SeaBIOS', options: { firmware: SEABIOS }, missing: noSeaBios },
] as const;
const engines = [
  { engine: 'soft', unable: false },
  { engine: 'kvm', unable: noFastKvm },
] as const;
const MODULE = 'a file that the kernel is given\n';
const END = /^(screen: .*|modules: \d+\n {2}\S+, \d+ bytes: .*|end)\n/m;

/** Removes the parts that depend on the place of a firmware's tables. */
const lines = (debug: string) =>
  debug
    .split('\n')
    .filter((line) =>
      /^(command line|Started by (GRUB|ISOLINUX)|loader|module|low memory|a map|sections|RSDP)/.test(line),
    );

const cds = new Map<string, string>();
function cd(name: string): string {
  const made = cds.get(name) ?? make(name);
  cds.set(name, made);
  return made;
}

function make(name: string): string {
  const module = { 'boot/module.txt': MODULE };
  if (name === 'isolinux') {
    const words = 'APPEND /boot/kernel.elf one two --- /boot/module.txt of words';
    return isolinuxCd(
      name,
      `DEFAULT it\nPROMPT 0\nSAY ISOLINUX speaks\nLABEL it\nKERNEL mboot.c32\n${words}\n`,
      {
        ...module,
        'boot/kernel.elf': { file: kernel(1) },
      },
    );
  }
  const version = name === 'multiboot' ? 1 : 2;
  return grubCd(
    name,
    `${name} /boot/kernel.elf one two\nmodule${version === 2 ? 2 : ''} /boot/module.txt of words`,
    {
      ...module,
      'boot/kernel.elf': { file: kernel(version) },
    },
  );
}

for (const [name, missing] of [
  ['multiboot', noGrub],
  ['multiboot2', noGrub],
  ['isolinux', noIsolinux],
] as const)
  describe(`${name === 'isolinux' ? 'ISOLINUX' : `GRUB, ${name}`}`, { skip: missing }, () => {
    for (const { name: firmware, options, missing: noFirmware } of firmwares)
      for (const { engine, unable } of engines)
        test(`on ${firmware}, on ${engine}`, { skip: noFirmware || unable }, () => {
          const { printed, outcome } = boot({ image: cd(name), engine, ...options });
          assert.equal(outcome.kind, 'halted', `${outcome.reason}\n${printed}`);
          assert.match(printed, /^command line: .*one two$/m);
          assert.match(printed, new RegExp(`${MODULE.length} bytes: .*of words`));
        });

    test('as in QEMU', { skip: noQemu }, async () => {
      const theirs = await bootInQemu(cd(name), END);
      const ours = boot({ image: cd(name), ...(noSeaBios ? {} : { firmware: SEABIOS }) });
      assert.deepEqual(lines(ours.debug), lines(theirs.debug));
      // The firmware's own output comes before the loader's; the places of its tables differ.
      const screen = (rows: readonly string[]) => {
        const start = rows.findIndex((row) => /ISOLINUX|GRUB/.test(row));
        const shown = rows.slice(Math.max(start, 0)).filter((row) => row.trim() !== '');
        return shown.filter((row) => !/^(memory: | {2}[\da-f]{8} \+ )/.test(row));
      };
      assert.ok(screen(theirs.screen).length > 0);
      assert.deepEqual(screen(ours.screen), screen(theirs.screen));
    });
  });
