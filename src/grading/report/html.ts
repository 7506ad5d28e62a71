/**
 * The pages of a report: one for the class, and one for each student. A page is one file without scripts from elsewhere; it is
 * readable in light and dark, by a screen reader, and on paper.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { command } from '../../command.js';
import { type CheckResult, passed, type RunResult } from '../../exercises/index.js';
import type { ClassReport, Entry } from './class-report.js';
import { firstLine, messageOf } from './texts.js';

/** Text for a page. Control characters and those that change the direction of writing are made visible. */
export function escapeHtml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
      .replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)
  );
}

const e = escapeHtml;

const STYLE = `
:root { color-scheme: light dark; --ok: #1a7f37; --no: #b3261e; --aside: #8a6100; --line: #8884; --soft: #8881; --bar: #3b6fd4; }
@media (prefers-color-scheme: dark) { :root { --ok: #4ac26b; --no: #ff8379; --aside: #e0b341; --bar: #7aa2f7; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; line-height: 1.25; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .4rem 0; } .dim { opacity: .72; } .big { font-size: 1.35rem; margin: .6rem 0 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .7rem .3rem 0; vertical-align: top; }
th { border-bottom: 1px solid var(--line); font-weight: 600; } tbody tr { border-bottom: 1px solid var(--soft); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td { overflow-wrap: anywhere; } td.s { white-space: nowrap; }
.ok { color: var(--ok); } .no { color: var(--no); } .aside { color: var(--aside); }
pre, code { font: .87em/1.45 ui-monospace, monospace; } pre { background: var(--soft); padding: .7rem .9rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; border-radius: 4px; }
.check { border-left: 4px solid var(--ok); padding: .25rem 0 .25rem .9rem; margin: .8rem 0; } .check.no-check { border-color: var(--no); }
.check h3 { font-size: 1rem; margin: 0; font-weight: 600; overflow-wrap: anywhere; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .3rem 0; }
dt { opacity: .72; } dd { margin: 0; overflow-wrap: anywhere; font: .87em/1.6 ui-monospace, monospace; white-space: pre-wrap; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .15rem .7rem; align-items: center; max-width: 34rem; }
.bars i { display: block; height: .85rem; background: var(--bar); min-width: 1px; print-color-adjust: exact; }
input { font: inherit; padding: .25rem .5rem; width: 16rem; max-width: 100%; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } .screen { display: none; } .check, tr { break-inside: avoid; } a { color: inherit; text-decoration: none; } pre { border: 1px solid var(--line); } }
`;

/** Shows the rows that contain the typed text. */
const SCRIPT = `const box = document.querySelector('input'), rows = [...document.querySelectorAll('#class tbody tr')];
const texts = rows.map((row) => row.textContent.toLowerCase());
box.addEventListener('input', () => { const word = box.value.toLowerCase(); rows.forEach((row, i) => { row.hidden = !texts[i].includes(word); }); });`;

const hash = (text: string) => createHash('sha256').update(text).digest('base64');

function page(title: string, body: string, script = ''): string {
  // Only this script runs on the page and nothing is loaded, even if a student's text were not escaped.
  const scripts = script === '' ? "'none'" : `'sha256-${hash(script)}'`;
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${scripts}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${e(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
${script === '' ? '' : `<script>${script}</script>\n`}</body>
</html>
`;
}

/** The name of a student's page: one for each, on every file system. */
export function pageName({ id, digest, seed }: Entry): string {
  const plain =
    id
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[.-]+/, '')
      .slice(0, 60) || 'student';
  return plain === id
    ? `${plain}.html`
    : `${plain}-${createHash('sha256')
        .update(JSON.stringify([id, digest, seed]))
        .digest('hex')
        .slice(0, 8)}.html`;
}

function stateOf({ verdict }: Entry): string {
  if (verdict.state === 'set-aside') return '<span class="aside">set aside</span>';
  if (verdict.state === 'not-compiled') return '<span class="no">✗ not compiled</span>';
  return passed(verdict) ? '<span class="ok">✓ passed</span>' : '<span class="no">✗ not yet</span>';
}

function firstWords(entry: Entry): string {
  const { verdict } = entry;
  const text =
    verdict.problem ??
    (verdict.state === 'not-compiled' ? verdict.build?.message : undefined) ??
    verdict.checks.filter(({ ok }) => !ok).map(messageOf)[0] ??
    '';
  const line = firstLine(text);
  return e(line.length > 140 ? `${line.slice(0, 140)}…` : line);
}

/** The page of the class. @param folder where the students' pages are, from there */
export function classPage(report: ClassReport, folder: string): string {
  const { exercise, entries, distribution, mean, missed, slowest, same } = report;
  const aside = report.count('set-aside');
  const most = Math.max(1, ...distribution);
  const bars = distribution
    .map((count, i) => {
      const label = i === 10 ? 'all points' : `${i * 10}–${i * 10 + 10} %`;
      return `<span>${label}</span><span>${count === 0 ? '' : `<i style="width:${Math.round((count / most) * 1000) / 10}%"></i>`}</span><span>${count}</span>`;
    })
    .join('\n');
  const rows = entries
    .map(
      (entry) =>
        `<tr><td><a href="${folder}/${encodeURIComponent(pageName(entry))}">${e(entry.name ?? entry.id)}</a></td><td class="n">${entry.verdict.points}</td><td class="s">${stateOf(entry)}</td><td>${firstWords(entry)}</td><td class="s dim"><code>${e(entry.seed)}</code></td></tr>`,
    )
    .join('\n');
  const refused = entries.filter(({ verdict }) => verdict.state === 'not-compiled');
  const harmful = refused.filter(({ verdict }) =>
    /did not end within|MiB|leads|reads |link/.test(verdict.build?.message ?? ''),
  );
  const list = (some: readonly Entry[], say: (entry: Entry) => string) =>
    `<table><tbody>${some.map((entry) => `<tr><td>${e(entry.id)}</td><td>${say(entry)}</td></tr>`).join('\n')}</tbody></table>`;
  return page(
    `${exercise.title}: the class`,
    `<h1>${e(exercise.title)}</h1>
<p class="dim">${e(exercise.goal)}</p>
<p class="big"><b>${report.passed}</b> of ${entries.length} passed · mean ${mean} of ${exercise.points} points${report.count('not-compiled') > 0 ? ` · ${report.count('not-compiled')} did not compile` : ''}${aside > 0 ? ` · <span class="aside">${aside} set aside: look at them</span>` : ''}</p>
<h2>Distribution</h2>
<div class="bars" role="img" aria-label="How many submissions have which share of the points">
${bars}
</div>
${
  missed.some((one) => one.missed > 0)
    ? `<h2>Missed checks</h2>
<table><thead><tr><th>Check</th><th class="n">missed</th><th class="n">of</th><th>Note</th></tr></thead><tbody>
${missed
  .filter((one) => one.missed > 0)
  .map(
    (one) =>
      `<tr><td><code>${e(one.name)}</code></td><td class="n">${one.missed}</td><td class="n">${one.of}</td><td>${e(one.note ?? '')}</td></tr>`,
  )
  .join('\n')}
</tbody></table>`
    : ''
}
${
  aside > 0
    ? `<h2>Set aside</h2>\n${list(
        entries.filter(({ verdict }) => verdict.state === 'set-aside'),
        ({ verdict }) => e(verdict.problem ?? ''),
      )}`
    : ''
}
${harmful.length > 0 ? `<h2>Stopped the compiler, or led outside</h2>\n${list(harmful, firstWords)}` : ''}
${
  slowest.length > 0
    ? `<h2>Longest runs</h2>\n<table><tbody>${slowest.map(({ id, instructions }) => `<tr><td>${e(id)}</td><td class="n">${instructions} instructions</td></tr>`).join('\n')}</tbody></table>`
    : ''
}
${
  same.length > 0
    ? `<h2>The same files</h2>\n<ul>${same
        .slice(0, 100)
        .map(
          (ids) =>
            `<li>${ids.slice(0, 20).map(e).join(', ')}${ids.length > 20 ? ` and ${ids.length - 20} others` : ''}</li>`,
        )
        .join('\n')}</ul>`
    : ''
}
<h2>Students</h2>
<p class="dim">Each student has a seed, from which random inputs follow. To repeat a run: <code>${e(command(`grade ${exercise.name} FOLDER --seed SEED`))}</code></p>
<p class="screen"><label>Show those with <input type="search" placeholder="a name, or words"></label></p>
<table id="class"><thead><tr><th>Student</th><th class="n">Points</th><th>State</th><th>First thing to do</th><th>Seed</th></tr></thead><tbody>
${rows}
</tbody></table>`,
    SCRIPT,
  );
}

function checkPart(check: CheckResult): string {
  const { ok, name, points, outOf, expected, found, hidden } = check;
  const values =
    hidden || (expected === '' && found === '')
      ? ''
      : `<dl><dt>expected</dt><dd>${e(expected)}</dd><dt>found</dt><dd>${e(found)}</dd></dl>`;
  return `<div class="check${ok ? '' : ' no-check'}"><h3><span class="${ok ? 'ok">✓' : 'no">✗'}</span> ${e(name)}${outOf === 0 ? '' : ` <span class="dim">${points} of ${outOf}</span>`}</h3>${ok ? '' : `<p>${e(messageOf(check))}</p>`}${ok ? '' : values}</div>`;
}

function runPart(run: RunResult, alone: boolean, lab: string): string {
  const { name, hidden, reason, exits, instructions, console, why, link } = run;
  const title = alone ? 'What the guest did' : `What the guest did: ${name || 'run'}`;
  const said = `<p>${e(reason)}, after ${instructions} instructions and ${exits} exit${exits === 1 ? '' : 's'}.</p>`;
  if (hidden) return `<h2>${e(title)}</h2>\n${said}<p class="dim">This run’s input is hidden.</p>`;
  const replay =
    link === undefined
      ? ''
      : `<p class="screen"><a href="${e(`${lab}#${link}`)}">Open this run in the lab</a>, at its end: step back from there.</p>`;
  return `<h2>${e(title)}</h2>
${said}${replay}${console === '' ? '' : `<p class="dim">Its console:</p><pre>${e(console)}</pre>`}${why === undefined ? '' : `<p class="dim">Why it ended:</p><pre>${e(why)}</pre>`}`;
}

/**
 * The page of one student: it can be handed out, since it has neither notes nor hidden values.
 * @param lab the address of a lab
 */
export function studentPage({ exercise }: ClassReport, entry: Entry, lab: string): string {
  const { verdict, id, name = id } = entry;
  const { points, outOf, checks, runs, build, state } = verdict;
  const body =
    state === 'set-aside'
      ? '<p class="aside">This submission could not be graded automatically. Your teacher looks at it.</p>'
      : state === 'not-compiled'
        ? `<h2>It was not run</h2><pre>${e(build?.message ?? '')}</pre>${build?.hint === undefined ? '' : `<p>${e(build.hint)}</p>`}`
        : `<h2>Checks</h2>\n${checks.map(checkPart).join('\n')}\n${runs.map((run) => runPart(run, runs.length === 1, lab)).join('\n')}${build === undefined ? '' : `<h2>The compiler’s warnings</h2><pre>${e(build.message)}</pre>`}`;
  return page(
    `${exercise.title}: ${name}`,
    `<h1>${e(exercise.title)}</h1>
<p class="dim">${e(name)}</p>
<p class="big">${stateOf(entry)} · <b>${points}</b> of ${outOf} points</p>
${body}`,
  );
}
