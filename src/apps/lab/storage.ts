/**
 * The browser's storage between two visits. Without it (full, or refused) the page works, and says so once.
 *
 * @module
 */
import { notice } from './notices.js';

const PREFIX = 'lab.';
let warned = false;

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    if (!warned)
      notice('This browser keeps nothing for this page: share a link or save a file before you leave.');
    warned = true;
  }
}

/** @param is whether the stored value has the right shape: another version of the page may have stored it */
export function recall<T>(name: string, is: (value: unknown) => value is T): T | undefined {
  try {
    const text = localStorage.getItem(PREFIX + name);
    const value: unknown = text === null ? undefined : JSON.parse(text);
    return is(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function forget(name: string): void {
  try {
    localStorage.removeItem(PREFIX + name);
  } catch {
    // nothing was stored
  }
}

export const isText = (value: unknown): value is string => typeof value === 'string';

export const isTexts = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && Object.values(value).every(isText);

export const isNumbers = (value: unknown): value is Record<string, number> =>
  typeof value === 'object' && value !== null && Object.values(value).every((one) => Number.isFinite(one));
