/**
 * Templates of kernels: `templates/`, with the names filled in.
 *
 * @module
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from '../../command.js';
import { ConfigError } from '../../errors.js';
import { contentsOf, makeFolder, requireFolderName } from './new-folder.js';

export const templateNames = [
  'asm16',
  'asm32',
  'asm64',
  'nasm16',
  'boot-sector',
  'c32',
  'tiny64',
  'c64',
  'multiboot',
  'cpp64',
  'rust64',
  'zig64',
  'launcher',
] as const;
export type TemplateName = (typeof templateNames)[number];

/** Languages by name: each stands for its usual template. */
const templateAliases: Readonly<Record<string, TemplateName>> = {
  nasm: 'nasm16',
  c: 'c64',
  cpp: 'cpp64',
  os: 'c64',
  os64: 'c64',
  rust: 'rust64',
  zig: 'zig64',
};

/** The template of a name, or of a language's; undefined for another word. */
export function templateOf(word: string): TemplateName | undefined {
  const known = templateNames.find((name) => name === word);
  return known ?? (Object.hasOwn(templateAliases, word) ? templateAliases[word] : undefined);
}

/** A one-line summary of each. */
export const templateSummaries: Readonly<Record<TemplateName, string>> = {
  asm16: 'assembler, real mode',
  asm32: 'assembler, protected mode with flat segments',
  asm64: 'assembler, long mode',
  nasm16: 'nasm, real mode: a boot sector',
  'boot-sector': 'assembler, a boot sector that calls the BIOS',
  c32: 'C, protected mode with flat segments',
  tiny64: 'C, long mode: twenty lines to begin with',
  c64: 'C, long mode: interrupts, keyboard, printf, paging, a panic that dumps',
  multiboot: 'C, protected mode: for every multiboot loader',
  cpp64: 'C++, long mode',
  rust64: 'Rust, long mode',
  zig64: 'Zig, long mode',
  launcher: 'a virtual machine of your own in JavaScript, and a guest for it',
};

type KernelName = Exclude<TemplateName, 'launcher'>;

const real = { bits: '16', mode: 'real', image: 'kernel.bin', load: '0' };
const protectedMode = { bits: '32', mode: 'protected', image: 'kernel.elf', load: '0x100000' };
const long = { bits: '64', mode: 'long', image: 'kernel.elf', load: '0x100000' };
const GNU = '`gcc` and `binutils`';

/** The values of the kernels' placeholders. */
const kernels: Readonly<Record<KernelName, Record<string, string>>> = {
  asm16: { ...real, source: 'kernel.S', compiler: GNU },
  asm32: { ...protectedMode, source: 'kernel.S', compiler: GNU },
  asm64: { ...long, source: 'kernel.S', compiler: GNU },
  nasm16: { ...real, source: 'kernel.asm', compiler: '`nasm`' },
  'boot-sector': { ...real, mode: 'auto', load: '0x7c00', source: 'kernel.S', compiler: GNU },
  c32: { ...protectedMode, source: 'kernel.c', compiler: GNU },
  tiny64: { ...long, source: 'kernel.c', compiler: GNU },
  c64: {
    ...long,
    source: 'kernel.c',
    compiler: GNU,
    sources: '\n  "sources": ["console.c", "interrupts.c", "keyboard.c", "paging.c"],',
  },
  multiboot: { ...protectedMode, source: 'kernel.c', compiler: GNU },
  cpp64: { ...long, source: 'kernel.cpp', compiler: '`g++` and `binutils`' },
  rust64: {
    ...long,
    source: 'kernel.rs',
    compiler: `\`rustc\` (\`rustup target add x86_64-unknown-none\`), ${GNU}`,
  },
  zig64: { ...long, source: 'kernel.zig', compiler: `\`zig\`, ${GNU}` },
};

export interface NewOptions {
  /** The folder to make; its last part is the kernel's name. */
  folder: string;
  template: TemplateName;
}

/**
 * Makes a folder from a template and returns the names of its files.
 * @throws ConfigError where the folder exists and is not empty, or the name is not allowed in a source.
 */
export function makeFromTemplate({ folder, template }: NewOptions): string[] {
  requireFolderName(folder);
  const name = path.basename(path.resolve(folder));
  // It is inserted into C strings, Makefiles and JSON unchanged.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new ConfigError(
      `'${name}' cannot be a kernel's name`,
      'use letters, digits, dots, dashes and underscores, such as my-kernel',
    );
  }
  checkEmpty(folder);
  const root = fileURLToPath(new URL('.', import.meta.resolve('#package')));
  const words = {
    name,
    template,
    terrarium: callFrom(folder, root),
    package: name.toLowerCase(),
    terrariumVersion: owner(root) === undefined ? `file:${root.replaceAll('\\', '/')}` : `^${version(root)}`,
    ...(template === 'launcher'
      ? {}
      : {
          sources: '',
          ...kernels[template],
          format: kernels[template].bits === '16' ? 'OUTPUT_FORMAT(binary)\n' : '',
        }),
  };
  const sources = template === 'launcher' ? ['launcher'] : ['common', template];
  return sources.flatMap((source) => copy(path.join(root, 'templates', source), folder, words)).sort();
}

function checkEmpty(folder: string): void {
  const [first, ...more] = contentsOf(folder);
  if (first === undefined) return;
  throw new ConfigError(
    `the folder ${folder} is not empty: it holds ${first}${more.length === 0 ? '' : ` and ${more.length} more`}`,
    'use another name: existing files are not overwritten',
  );
}

/** The folder in whose `node_modules` this package is installed; undefined for a clone. */
function owner(root: string): string | undefined {
  const [folder, inside] = root.split(/[\\/]node_modules[\\/](.*)/s);
  return inside === undefined ? undefined : folder;
}

/**
 * How a shell in `folder` starts Terrarium. By a path where a shell does not find it by name: `npx` would work too, but takes
 * half a second.
 */
function callFrom(folder: string, root: string): string {
  const project = owner(root);
  if (project === undefined) return `node ${quoted(path.join(root, 'dist/cli.cjs'))}`;
  if (command() === 'terrarium') return 'terrarium';
  const up = path.relative(path.resolve(folder), project);
  const isAbove = up.split(path.sep).every((part) => part === '..');
  return isAbove ? path.join(up, 'node_modules/.bin/terrarium') : command();
}

/** A word for a shell that a Makefile starts. */
function quoted(word: string): string {
  return /^[\w./:@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''").replaceAll('$', '$$$$')}'`;
}

function version(root: string): string {
  return (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Copies a folder with its placeholders filled in. `gitignore` gets its dot here: npm leaves files named `.gitignore` out. */
function copy(from: string, to: string, words: Readonly<Record<string, string>>): string[] {
  return readdirSync(from, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(path.join(from, file)).isFile())
    .map((file) => {
      const target = file === 'gitignore' ? '.gitignore' : file;
      const text = readFileSync(path.join(from, file), 'utf8');
      makeFolder(path.dirname(path.join(to, target)));
      writeFileSync(
        path.join(to, target),
        text.replace(/\{\{(\w+)\}\}/g, (_, word: string) => words[word]!),
        { flag: 'wx' },
      );
      return target;
    });
}
