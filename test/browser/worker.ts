/** The Worker in the page that browser.test.ts opens: runs each guest that it is sent and answers with the result. */
import type * as Terrarium from '../../src/browser/index.js';
import { type GuestToRun, runGuest } from './run-guest.js';

// The shipped bundle, from the root of the served files.
const bundle = '/dist/browser.js';
const terrarium = (await import(bundle)) as typeof Terrarium;
const engine = await terrarium.loadSoftEngine('/dist/soft.wasm');

addEventListener('message', async ({ data }: MessageEvent<GuestToRun>) => {
  try {
    postMessage({ result: await runGuest(terrarium, engine, data) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
});
postMessage({ ready: true });
