/**
 * The page's drawings of a guest: its tables, memory, rings, time. Tests for `lab.test.ts`, whose browser they share.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readBusybox, shellSystem } from '../../src/linux/index.js';
import { debian, noDebian } from '../firmware/systems.js';
import type { LabBrowser, LabPage } from './lab-page.js';

/** Opens one of the CPU's tables. */
async function table(it: LabPage, name: string): Promise<void> {
  await it.tab('tables');
  await it.press(name);
}

export function testPanes(lab: () => LabBrowser): void {
  test('draws GDT, IDT and TSS, with the registers that hold a selector', async () => {
    const it = await lab().open('#rings-long');
    await it.run();
    await table(it, 'GDT');
    const row = it.page.locator('section[aria-label=GDT] .row');
    // guests/rings-long/rings-long.c: its GDT, with CS and SS of ring 0 at the end, and the TSS after the segments.
    await row.nth(1).waitFor();
    assert.match((await row.nth(1).textContent()) ?? '', /^0008.*code.*ring 0.*CS.*64-bit/);
    assert.match((await row.nth(4).textContent()) ?? '', /^0020.*code.*ring 3/);
    assert.match((await row.nth(5).textContent()) ?? '', /^0028.*64-bit TSS.*TR/);
    await row.nth(1).locator('summary').click();
    assert.match(
      (await row.nth(1).getByRole('img').getAttribute('aria-label')) ?? '',
      /L 1,.*DPL 00.*type 1011/,
    );
    await table(it, 'IDT');
    await it.page.waitForSelector('section[aria-label="Interrupt table"] .row');
    assert.match((await it.page.textContent('.rows .row')) ?? '', /^6#UD.*interrupt gate.*0008:/);
    await table(it, 'TSS');
    await it.page.waitForSelector('.fields');
    assert.match((await it.page.textContent('.fields tbody tr')) ?? '', /\+4RSP0/);
  });

  test('opens page tables level by level, and follows an address through them', async () => {
    const it = await lab().open('#khw-pae');
    await it.run();
    await table(it, 'Pages');
    const tree = it.page.locator('.pages > .page-table');
    await tree.locator('.entry').first().click();
    // Terrarium's boot maps 4 GiB one to one: pages of 2 MiB under four pointers.
    await tree.locator('.page-table .entry').first().waitFor();
    assert.match(
      (await tree.locator('.page-table').first().textContent()) ?? '',
      /511 pages of 2 MiB.*writable/,
    );
    assert.equal(await tree.locator('> ul > li').count(), 4);
    await it.page.fill('input[name=follow]', '0x40200123');
    await it.page.click('.follow button');
    await it.page.waitForSelector('.way');
    // 0x40200123: pointer 1, entry 1 of its directory, byte 0x123 of 2 MiB.
    assert.deepEqual(await it.page.locator('.way li b').allTextContents(), ['1', '1', '123']);
    assert.equal(await tree.locator('li.on').count(), 2);
    await it.page.fill('input[name=follow]', 'nowhere');
    await it.page.click('.follow button');
    assert.match((await it.page.textContent('.pages > .faults')) ?? '', /nowhere/);
  });

  test('draws the memory that was read, written and executed, and shows a cell’s bytes', async () => {
    const it = await lab().open('#vga-text');
    await it.run();
    await it.tab('heat');
    await it.page.focus('.heat canvas');
    // Code, stack, and the text screen at B8000: one row each.
    await it.page.keyboard.press('ArrowDown');
    await it.page.keyboard.press('ArrowDown');
    await it.page.waitForFunction(() =>
      /^000b8000–000b803f: written \d+×$/.test(document.querySelector('#heat-cell')?.textContent ?? ''),
    );
    await it.page.keyboard.press('Enter');
    await it.page.waitForSelector('.memory td:has-text("000b8000")');
    assert.equal(await it.page.inputValue('.memory select'), 'physical');
  });

  test('draws the queues of virtio devices, and the driver’s handshake', async () => {
    const it = await lab().open('#virtio-rng');
    await it.run();
    await table(it, 'Virtio');
    await it.page.waitForSelector('svg.ring');
    assert.equal(await it.page.locator('.handshake .done').count(), 4);
    // guests/virtio-rng: one buffer of 16 bytes, which the device has filled.
    assert.equal(
      await it.page.getAttribute('svg.ring', 'aria-label'),
      'requests: 0 of 4 slots wait for the device',
    );
    assert.match(
      (await it.page.textContent('.buffers')) ?? '',
      /used · slot 0.*16 bytes written.*write .* \+16/,
    );
  });

  test('zooms into the time of the exits, hides a kind, and goes to the moment of a click', async () => {
    const it = await lab().open('#hello');
    await it.run();
    const picture = it.page.getByRole('group', { name: 'Exits over time' });
    const slider = it.page.locator('.slider input');
    const last = Number(await slider.getAttribute('max'));
    await picture.focus();
    for (let n = 0; n < 3; n++) await it.page.keyboard.press('+');
    // Around the end: an eighth of the time.
    await it.page.waitForFunction(
      (least) => Number(document.querySelector('.slider input')?.getAttribute('min')) >= least,
      Math.floor(last * 0.8),
    );
    for (let n = 0; n < 8; n++) await it.page.keyboard.press('ArrowLeft');
    await it.page.waitForFunction(
      (most) => Number(document.querySelector('.slider input')?.getAttribute('max')) < most,
      last,
    );
    const before = Number(await slider.getAttribute('max'));
    await it.moves(() => picture.locator('canvas').click({ position: { x: 200, y: 10 } }));
    const now = Number(await slider.inputValue());
    assert.ok(now >= Number(await slider.getAttribute('min')) && now <= before, String(now));
    // That of an exit: the console's letter.
    assert.match(await it.register('rdx'), /e9$/);
    await it.press('All');
    await it.page.waitForFunction(() => document.querySelector('.slider input')?.getAttribute('min') === '0');
    const kind = it.page.getByRole('button', { name: /^debug-console/ });
    await kind.click();
    assert.equal(await kind.getAttribute('aria-pressed'), 'false');
  });

  test('moves and hides panels by keyboard, by dragging and by the menu, and remembers where they are', async () => {
    const it = await lab().open('#hello');
    await it.run();
    const names = (group: string) =>
      it.page
        .locator(`[aria-label="Panels ${group} the source"] [role=tab]`)
        .evaluateAll((tabs) => tabs.map(({ id }) => id.replace('tab-', '')));
    await it.tab('tables');
    await it.page.keyboard.press('Shift+ArrowUp');
    await it.page.waitForSelector('.below #pane-tables:not([hidden])');
    await it.page.waitForFunction(() => document.activeElement?.id === 'tab-tables');
    await it.page.keyboard.press('Shift+ArrowLeft');
    assert.deepEqual(await names('below'), ['console', 'screen', 'exits', 'why', 'tables', 'problems']);
    await it.page.dragAndDrop('#tab-console', '[aria-label="Panels beside the source"]');
    await it.page.waitForSelector('.side #pane-console:not([hidden])');
    // The console keeps its lines where it is now.
    await it.prints('Hello from inside the terrarium!');
    await it.page.focus('#tab-console');
    await it.page.keyboard.press('Delete');
    assert.deepEqual(await names('beside'), ['code', 'stack', 'memory', 'heat']);
    await it.page.click('.more summary');
    await it.page.click('.panel-menu summary');
    await it.page.getByRole('checkbox', { name: 'Registers' }).uncheck();
    await it.page.reload();
    await it.reaches('ready');
    assert.deepEqual(await names('below'), ['screen', 'exits', 'why', 'tables', 'problems']);
    assert.equal(await it.page.locator('.registers').count(), 0);
    await it.page.click('.more summary');
    await it.page.click('.panel-menu summary');
    assert.equal(await it.page.getByRole('combobox', { name: 'Console' }).inputValue(), 'hidden');
    await it.press('Reset the layout');
    assert.deepEqual(await names('below'), ['console', 'screen', 'exits', 'why', 'problems']);
    assert.equal(await it.page.locator('.registers').count(), 1);
  });

  test('gives the guest the mouse where it has switched one on', async () => {
    const it = await lab().open();
    // Switches the mouse on (A8, D4 and F4 to the 8042), reads the answer FA and one report, and prints dx.
    await it.write(MOUSE);
    await it.page.keyboard.press('F8');
    await it.prints('ready');
    await it.tab('screen');
    const canvas = it.page.locator('#pane-screen canvas');
    await it.page.waitForSelector('.caption:has-text("gives it the mouse")');
    const box = (await canvas.boundingBox())!;
    await canvas.click();
    await it.page.waitForFunction(() => document.pointerLockElement !== null);
    await it.page.mouse.move(box.x + box.width / 2 + 40, box.y + box.height / 2, { steps: 4 });
    await it.reaches('ended');
    const moved = Number.parseInt(await it.register('rbx'), 16) & 0xff;
    assert.ok(moved > 0 && moved < 0x80, `${moved} steps to the right`);
  });

  test('types the keys of a guest that has some', async () => {
    const it = await lab().open('#vga-typing');
    await it.page.keyboard.press('F8');
    await it.reaches('running');
    await it.page.getByRole('button', { name: 'Type its keys' }).click();
    await it.reaches('ended');
    // guest.json of guests/vga-typing.
    await it.tab('console');
    await it.prints('from a keyboard');
  });
}

/** Boots Debian's kernel, dropped with a file system of busybox, to a shell. The longest test of the lab: it boots once. */
export function testLinux(lab: () => LabBrowser): void {
  test('boots Linux from a kernel and an initrd that are dropped, to a shell', {
    skip: noDebian,
  }, async () => {
    const it = await lab().open();
    await it.page.click('.more > summary');
    // As fast as it can.
    await it.page.getByRole('checkbox', { name: 'Guest’s time is real time' }).uncheck();
    const file = (name: string, buffer: Uint8Array) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(buffer),
    });
    await it.page
      .locator('input[type=file]')
      .setInputFiles([
        file('initrd.cpio', shellSystem(readBusybox(debian!.busybox))),
        file('vmlinuz', readFileSync(debian!.kernel)),
      ]);
    await it.prints('/root #');
    await it.page.click('.xterm');
    await it.page.keyboard.type('echo $((6 * 7)) from $(uname -s)\n');
    await it.prints('42 from Linux');
    await it.page.keyboard.press('F6');
    await it.reaches('stopped');
  });
}

const MOUSE = `.code16
.globl _start
.macro put value, port
        call ready
        mov $\\value, %al
        out %al, $\\port
.endm
_start: put 0xa8, 0x64
        put 0xd4, 0x64
        put 0xf4, 0x60
        call byte
        mov $text, %si
1:      lodsb
        test %al, %al
        jz 2f
        out %al, $0xe9
        jmp 1b
2:      call byte
        call byte
        mov %al, %bl
        hlt
ready:  in $0x64, %al
        test $2, %al
        jnz ready
        ret
byte:   in $0x64, %al
        test $1, %al
        jz byte
        in $0x60, %al
        ret
text:   .asciz "ready"
`;
