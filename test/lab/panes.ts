/**
 * The page's drawings of a guest: its tables, memory, rings, time. Tests for `lab.test.ts`, whose browser they share.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
}
