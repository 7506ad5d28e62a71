/**
 * The lab in a real Chromium, served as `terrarium lab` serves it.
 *
 * @module
 */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type LabServer, serveLab } from '../../src/apps/lab-server/server.js';
import { startChromium } from '../support/chromium.js';
import { Scratch } from '../support.js';

/** A browser with the lab's server. */
export class LabBrowser implements AsyncDisposable {
  readonly server: LabServer;
  readonly browser: Browser;
  readonly #scratch: Scratch;
  #context: BrowserContext | undefined;
  /** Errors that a page did not catch, and requests that its policy refused. */
  readonly errors: string[] = [];

  private constructor(server: LabServer, browser: Browser, scratch: Scratch) {
    this.server = server;
    this.browser = browser;
    this.#scratch = scratch;
  }

  static async start(): Promise<LabBrowser> {
    const scratch = new Scratch();
    const server = await serveLab({ port: 0 });
    return new LabBrowser(server, await startChromium(scratch.path), scratch);
  }

  get origin(): string {
    return `http://localhost:${this.server.port}`;
  }

  /** A new visitor's page. @param fragment the project to open: `#hello`, or a link's */
  async open(fragment = '#own', { fresh = true } = {}): Promise<LabPage> {
    if (fresh || this.#context === undefined) {
      await this.#context?.close();
      this.#context = await this.browser.newContext({ viewport: { width: 1280, height: 720 } });
    }
    const page = await this.#context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
    await page.goto(`${this.origin}/${fragment}`);
    const lab = new LabPage(page);
    await lab.reaches('ready', 'stopped', 'ended');
    return lab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.server.close();
    this.#scratch[Symbol.dispose]();
  }
}

/** A person's view and actions. */
export class LabPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Waits for the guest to be in one of these states. */
  async reaches(...wanted: string[]): Promise<void> {
    await this.page.waitForSelector(wanted.map((name) => `.status[data-status="${name}"]`).join());
  }

  async status(): Promise<string> {
    return (await this.page.textContent('.status b')) ?? '';
  }

  /** Replaces the source, as by selecting all and typing. */
  async write(source: string): Promise<void> {
    await this.page.click('.cm-content');
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.insertText(source);
  }

  /** The first file in its edited form. */
  async source(): Promise<string> {
    const lines = await this.page.locator('.cm-line').allTextContents();
    return lines.join('\n');
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  /** Clicks left of a line's number. */
  async clickMargin(line: number): Promise<void> {
    await this.page
      .locator('.cm-points .cm-gutterElement')
      .nth(line - 1)
      .click();
  }

  async tab(name: string): Promise<void> {
    await this.page.click(`#tab-${name}`);
  }

  /** Runs to the end or to a stop. */
  async run(): Promise<void> {
    await this.moves(() => this.page.keyboard.press('F8'));
  }

  /** Does an action that moves the guest, and waits until it has stopped again. */
  async moves(action: () => Promise<void>): Promise<void> {
    const before = await this.page.getAttribute('.status', 'data-moves');
    await action();
    await this.page.waitForFunction(
      (count) => document.querySelector('.status')?.getAttribute('data-moves') !== count,
      before,
    );
  }

  /** Waits until the console has this. */
  async prints(text: string): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => document.querySelector('.xterm-rows')?.textContent?.includes(wanted),
      text,
    );
  }

  async register(name: string): Promise<string> {
    return (await this.page.textContent(`[data-register="${name}"] dd`)) ?? '';
  }

  /** The number of the line that runs next; undefined where none is marked. */
  async line(): Promise<string | undefined> {
    const text = await this.page.textContent('.cm-current').catch(() => undefined);
    return text?.trim();
  }
}
