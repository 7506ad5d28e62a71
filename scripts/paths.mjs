// Places that the scripts share.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** What takes long to make and is made from files that are tracked. Not in node_modules, which `npm ci` empties. */
export const cache = path.join(root, '.cache');
