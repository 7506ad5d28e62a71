/** The tables of a PC: their checksums, their places, and what others make of them (acpica's iasl, dmidecode). */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { buffer, int, name, pack, text } from './aml.js';
import { pcTables } from './index.js';

const has = (tool: string) => spawnSync(tool, ['--version']).error === undefined;
const noIasl = has('iasl') ? false : 'iasl is not installed: apt-get install acpica-tools';
const noDmidecode = has('dmidecode') ? false : 'dmidecode is not installed: apt-get install dmidecode';
const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-tables-'));
after(() => rmSync(folder, { recursive: true }));

const tables = pcTables({ cpus: 2, memory: 256 * 1024 * 1024, pciHole: 0xe000_0000 });
const find = (wanted: string) => tables.find((table) => table.name === wanted)!;
const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => total + byte, 0) & 0xff;
const word = (bytes: Uint8Array, at: number, size: 4 | 8 = 4) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return size === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
};

describe('the tables', () => {
  test('do not overlap, and stay in what the memory map keeps for them', () => {
    const sorted = [...tables].sort((a, b) => a.address - b.address);
    for (const [i, { address, bytes }] of sorted.entries()) {
      const next = sorted[i + 1];
      assert.ok(next === undefined || address + bytes.length <= next.address);
      const pointer = address === 0x9_fff0 && bytes.length === 16;
      assert.ok(pointer || (address >= 0xe_0000 && address + bytes.length <= 0x10_0000));
    }
  });

  test('sum up to 0, and lead from one to the next', () => {
    for (const wanted of ['DSDT', 'FACP', 'APIC', 'HPET', 'RSDT', 'XSDT', 'RSDP', '_MP_', 'PCMP', '_SM_'])
      assert.equal(sum(find(wanted).bytes), 0, wanted);
    const rsdp = find('RSDP').bytes;
    assert.equal(sum(rsdp.subarray(0, 20)), 0);
    assert.equal(word(rsdp, 16), find('RSDT').address);
    assert.equal(word(rsdp, 24, 8), find('XSDT').address);
    const { bytes: xsdt } = find('XSDT');
    assert.deepEqual(
      [36, 44, 52].map((at) => word(xsdt, at, 8)),
      ['FACP', 'APIC', 'HPET'].map((one) => find(one).address),
    );
    const fadt = find('FACP').bytes;
    assert.deepEqual(
      [word(fadt, 36), word(fadt, 40), word(fadt, 132, 8), word(fadt, 140, 8)],
      [find('FACS').address, find('DSDT').address, find('FACS').address, find('DSDT').address],
    );
    assert.equal(find('FACS').address % 64, 0);
    for (const { bytes, name: which } of tables)
      if (/^(DSDT|FACP|APIC|HPET|RSDT|XSDT)$/.test(which)) assert.equal(word(bytes, 4), bytes.length, which);
    assert.equal(word(find('_MP_').bytes, 4), find('PCMP').address);
  });

  test('the encoder: package lengths of one, two and three bytes (ACPI 6.4 20.2.4)', () => {
    assert.deepEqual(pack(int(1)), [0x12, 3, 1, 1]);
    assert.deepEqual(buffer(new Array(70).fill(0)).slice(0, 5), [0x11, 0x4a, 4, 0x0a, 70]);
    assert.equal(buffer(new Array(5000).fill(0))[1]! >> 6, 2);
    assert.deepEqual(name('\\_SB.PCI0', text('a')), [8, 0x5c, 0x2e, ...Buffer.from('_SB_PCI0'), 0x0d, 97, 0]);
    assert.deepEqual(
      [int(255), int(256), int(65536)],
      [
        [10, 255],
        [11, 0, 1],
        [12, 0, 0, 1, 0],
      ],
    );
  });

  test('are what acpica takes them for, and its compiler takes them back', { skip: noIasl }, () => {
    const files = ['DSDT', 'FACP', 'APIC', 'HPET'].map((which) => {
      const file = path.join(folder, `${which.toLowerCase()}.dat`);
      writeFileSync(file, find(which).bytes);
      return file;
    });
    for (const file of files) execFileSync('iasl', ['-d', file], { stdio: 'pipe' });
    const listing = (which: string) => readFileSync(path.join(folder, `${which}.dsl`), 'utf8');
    const dsdt = listing('dsdt');
    for (const wanted of [
      /Device \(PCI0\)/,
      /EisaId \("PNP0A03"\)/,
      /Name \(_PRT, Package \(0x7C\)/,
      /Name \(_S5, Package \(0x04\)/,
      /Device \(COM4\)/,
      /0xFEBFFFFF/,
      /"ACPI0007"/,
    ])
      assert.match(dsdt, wanted);
    const compiled = spawnSync('iasl', ['-p', path.join(folder, 'again'), path.join(folder, 'dsdt.dsl')], {
      encoding: 'utf8',
    });
    assert.match(compiled.stdout + compiled.stderr, /0 Errors/);
    // What it makes of our source is our table again, but for its own name in the header.
    assert.deepEqual(
      readFileSync(path.join(folder, 'again.aml')).subarray(36),
      Buffer.from(find('DSDT').bytes.subarray(36)),
    );
    const madt = listing('apic');
    assert.match(madt, /I\/O Apic ID : 00[\s\S]*Address : FEC00000/);
    assert.match(madt, /Source : 00\s[\s\S]*?Interrupt : 00000002/);
    assert.doesNotMatch(listing('facp') + madt + listing('hpet'), /Unknown|Invalid|\*\*\*/);
    assert.match(listing('facp'), /Reset Register Supported \(V2\) : 1[\s\S]*Value to cause reset : 06/);
  });

  test('are what dmidecode takes them for', { skip: noDmidecode }, () => {
    // A dump as it reads one: the entry point, and the structures at 20h.
    const [entry, structures] = [find('_SM_').bytes.slice(), find('SMBIOS').bytes];
    new DataView(entry.buffer).setUint32(0x18, 32, true);
    entry[0x15] = (entry[0x15]! - sum(entry.subarray(0x10))) & 0xff;
    entry[4] = (entry[4]! - sum(entry)) & 0xff;
    const dump = Buffer.alloc(32 + structures.length);
    dump.set(entry);
    dump.set(structures, 32);
    const file = path.join(folder, 'dmi');
    writeFileSync(file, dump);
    const said = spawnSync('dmidecode', ['--from-dump', file], { encoding: 'utf8' });
    const all = said.stdout + said.stderr;
    assert.match(all, /SMBIOS 2\.8 present\.\s+10 structures/);
    for (const wanted of [
      /Manufacturer: Terrarium/,
      /Product Name: PC \(i440FX, PIIX\)/,
      /Size: 256 MB/,
      /Version: 1\.0/,
      /Socket Designation: CPU 1/,
    ])
      assert.match(all, wanted);
    assert.doesNotMatch(all, /TRUNCATED|Wrong|OUT OF SPEC|bad/i);
  });
});
