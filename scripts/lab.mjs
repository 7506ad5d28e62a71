// Builds the lab, a page that is a folder of static files, into dist/lab: the page's code, the Worker, the software CPU, and the
// catalogue of guests and lessons.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './paths.mjs';

const page = path.join(root, 'src/apps/lab');
const out = path.join(root, 'dist/lab');
const include = path.join(root, 'guests/include');

const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
const text = (file) => readFileSync(file, 'utf8');
const folders = (folder, file) =>
  readdirSync(folder)
    .filter((name) => existsSync(path.join(folder, name, file)))
    .sort();

/** Builds dist/lab and returns the files that it has written, relative to the root. */
export async function buildLab(esbuild, options) {
  mkdirSync(path.join(out, 'guests'), { recursive: true });
  const written = [];
  const write = (name, content) => {
    writeFileSync(path.join(out, name), content);
    written.push(`dist/lab/${name}`);
  };
  const copy = (from, name) => {
    copyFileSync(from, path.join(out, name));
    written.push(`dist/lab/${name}`);
  };
  const result = await esbuild.build({
    ...options,
    entryPoints: {
      lab: path.join(page, 'main.tsx'),
      worker: 'src/browser/worker.ts',
      embed: path.join(page, 'embed.ts'),
    },
    outdir: 'dist/lab',
    bundle: true,
    minify: true,
    sourcemap: false,
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    banner: {
      js: "Symbol.dispose ??= Symbol.for('Symbol.dispose');Symbol.asyncDispose ??= Symbol.for('Symbol.asyncDispose');",
    },
    legalComments: 'linked',
  });
  for (const name of ['index.html', 'isolate.js', 'icon.svg', 'start.js'])
    copy(path.join(page, 'static', name), name);
  write('LICENSES.txt', licenses(Object.keys(result.metafile.inputs)));
  write('catalogue.json', JSON.stringify(await catalogue(copy)));
  return { result, written };
}

/** The licences of the packages whose code is in the page. */
function licenses(inputs) {
  const names = new Set(
    inputs.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
  );
  return [...names]
    .sort()
    .map((name) => {
      const folder = path.join(root, 'node_modules', name);
      const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
      return `${name} ${json(path.join(folder, 'package.json')).version}\n\n${file ? text(path.join(folder, file)).trim() : ''}\n`;
    })
    .join('\n----\n\n');
}

/** The catalogue of the page. @param copy copies a file to a name below dist/lab */
async function catalogue(copy) {
  const guests = path.join(root, 'guests');
  const examples = [];
  for (const name of folders(guests, 'guest.json')) {
    const folder = path.join(guests, name);
    const { image, source, summary, expect, needs, keys, input, timeoutMs, ...spec } = json(
      path.join(folder, 'guest.json'),
    );
    const file = path.join(folder, source);
    const own = readdirSync(folder).some((one) => /\.(lds|ld)$/.test(one));
    const assembles = /\.(S|s|asm|nasm)$/.test(source) && !own && !source.includes('..');
    // A new guest: `npm run guests` needs a build to make its image.
    if (!existsSync(path.join(folder, image))) continue;
    if (!assembles) copy(path.join(folder, image), `guests/${path.basename(image)}`);
    delete spec.name;
    examples.push({
      id: name,
      title: name,
      summary,
      files: [{ name: path.basename(source), text: text(file) }],
      spec,
      ...(assembles ? {} : { image: `guests/${path.basename(image)}` }),
      ...(keys && { keys }),
      ...(input && { input }),
    });
  }
  const mistakes = path.join(guests, 'mistakes');
  for (const name of readdirSync(mistakes).sort()) {
    const folder = path.join(mistakes, name);
    const source =
      existsSync(folder) && !name.includes('.')
        ? readdirSync(folder).find((one) => /\.S$/.test(one))
        : undefined;
    if (source === undefined) continue;
    const described = path.join(folder, 'guest.json');
    const { mode = 'auto', memory, vga, irqchip } = existsSync(described) ? json(described) : {};
    const given = {
      mode,
      ...(memory && { memory }),
      ...(vga !== undefined && { vga }),
      ...(irqchip && { irqchip }),
    };
    examples.push({
      id: `mistakes/${name}`,
      title: name.replaceAll('-', ' '),
      summary: 'a mistake, and its explanation',
      files: [{ name: source, text: text(path.join(folder, source)) }],
      spec: given,
    });
  }
  return { examples, lessons: await lessons(copy), headers: headers() };
}

function headers() {
  return readdirSync(include).map((name) => ({ name, text: text(path.join(include, name)) }));
}

/** The course's lessons, with their pages as HTML. */
async function lessons(copy) {
  const course = path.join(root, 'docs/course');
  const { default: MarkdownIt } = await import('markdown-it');
  const markdown = new MarkdownIt({ html: true, linkify: false });
  return folders(course, 'lesson.json').map((name) => {
    const folder = path.join(course, name);
    const { title, goal, guest, device, checks, source, also, input, keys } = json(
      path.join(folder, 'lesson.json'),
    );
    const start = path.join(folder, 'start');
    const { image, ...spec } = guest;
    if (device) copy(path.join(folder, device), `guests/${device}`);
    return {
      id: name,
      number: Number.parseInt(name, 10),
      title,
      goal,
      page: pageOf(markdown, text(path.join(folder, 'README.md')), name),
      files: readdirSync(start).map((file) => ({ name: file, text: text(path.join(start, file)) })),
      main: image,
      spec: { ...spec, syntax: 'att' },
      needsCompiler: !/\.(S|s|asm|nasm)$/.test(image),
      ...(device && { device: `guests/${device}` }),
      ...{ checks, source, also, input, keys },
    };
  });
}

/** Links lead to the repository's pages, which the lab does not have: they stay as text. */
function pageOf(markdown, content, name) {
  const html = markdown.render(content);
  return html
    .replace(/<a href="(?!https?:)[^"]*">([\s\S]*?)<\/a>/g, '$1')
    .replace(/<a href=/g, '<a target="_blank" rel="noreferrer" href=')
    .replace(/<img [^>]*>/g, '')
    .replace(/<h1>[\s\S]*?<\/h1>/, '')
    .replaceAll('<pre>', `<pre tabindex="0" aria-label="code of ${name}">`);
}
