/** Short messages to the user, such as "the link was copied". */
import { signal } from '@preact/signals';

export interface Notice {
  readonly text: string;
  readonly bad: boolean;
}

export const notices = signal<Notice | undefined>(undefined);

/** How long one stays, in milliseconds; an error stays until it is closed. */
const SHOWN_MS = 6000;
let timer: ReturnType<typeof setTimeout> | undefined;

export function notice(text: string, bad = false): void {
  clearTimeout(timer);
  notices.value = { text, bad };
  if (!bad)
    timer = setTimeout(() => {
      notices.value = undefined;
    }, SHOWN_MS);
}
