/**
 * The page's server, if it is `terrarium lab`: it compiles the sources that the page cannot. Its token is in the address.
 *
 * @module
 */
import type { TextFile } from '../../browser/index.js';

const TOKEN = 'lab.token';

/** The token of this tab: from the address, from which it is removed. */
function token(): string | undefined {
  try {
    const given = new URLSearchParams(location.search).get('token');
    if (given !== null) {
      sessionStorage.setItem(TOKEN, given);
      history.replaceState(null, '', location.pathname + location.hash);
    }
    return sessionStorage.getItem(TOKEN) ?? undefined;
  } catch {
    return undefined;
  }
}

const held = token();

/** The server can compile. */
export const hasServer = held !== undefined;

/** The name of the kernel that the server offers; undefined where there is none. */
export async function linuxThere(): Promise<string | undefined> {
  if (held === undefined) return undefined;
  const response = await fetch('api/linux', { headers: { 'X-Terrarium-Token': held } });
  if (!response.ok) return undefined;
  const { name } = (await response.json()) as { name?: unknown };
  return typeof name === 'string' ? name : undefined;
}

export async function linuxFile(part: 'kernel' | 'initrd'): Promise<Uint8Array> {
  const response = await fetch(`api/linux/${part}`, { headers: { 'X-Terrarium-Token': held ?? '' } });
  if (!response.ok) throw new Error(`${part}: ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Compiles sources there: returns the image, or an error message. */
export async function compileThere(files: readonly TextFile[], mode: string): Promise<Uint8Array | string> {
  if (held === undefined)
    return 'This source needs a compiler, which a page alone does not have: start `terrarium lab` on Linux with gcc.';
  const response = await fetch('api/compile', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Terrarium-Token': held },
    body: JSON.stringify({ files, mode }),
  });
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  return (await response.text()) || `the server said ${response.status}`;
}
