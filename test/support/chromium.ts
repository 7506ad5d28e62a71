/** Chromium for the tests: the one of this computer, without a user's profile. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

export const noChromium = chromiumPath === undefined && 'SKIPPED: no Chromium here: apt-get install chromium';

/** @param home a folder that is removed with the test */
export function startChromium(home: string): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    env: { ...process.env, HOME: home } as Record<string, string>,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
