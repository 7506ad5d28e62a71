import { countFunctions, type Profile } from './profile.js';

/** Functions that a table shows. */
const MOST_ROWS = 30;

/** A table of the functions with most instructions of their own. */
export function formatProfile(profile: Profile): string {
  const { instructions, samples } = profile;
  const head = `profile: ${instructions} instructions, ${samples} samples`;
  if (samples === 0) return `${head}: the guest ended before the first one`;
  const functions = countFunctions(profile);
  const share = (part: number) => `${((100 * part) / instructions).toFixed(1)} %`.padStart(8);
  const rows = functions
    .slice(0, MOST_ROWS)
    .map(({ name, own, total }) => `${share(own)} ${share(total)}  ${name}`);
  const more = functions.length - rows.length;
  return [head, '     own    total  function', ...rows, ...(more > 0 ? [`  and ${more} more`] : [])].join(
    '\n',
  );
}
