/**
 * Names of C++ and Rust as in the source, without parameters, for which a backtrace has no room.
 * Sources: Itanium C++ ABI, 5.1 (mangling); Rust RFC 2603 (v0 mangling) and the legacy mangling that it replaces.
 *
 * @module
 */

/** Longer names are shown unchanged: they were not written by hand. */
const LONGEST = 2000;

/** `_ZN7console7Console3putEc` → `console::Console::put`; other names unchanged. */
export function demangle(name: string): string {
  if (name.length > LONGEST) return name;
  const found = /^_ZN?/.test(name) ? cpp(name) : name.startsWith('_R') ? rustV0(name) : undefined;
  return found ?? name;
}

/** Source names, each after its length: `7console3putE` → `console`, `put`. */
function* sourceNames(text: string): Generator<string> {
  for (let at = 0; ; ) {
    const [digits] = /^\d+/.exec(text.slice(at)) ?? [];
    if (digits === undefined) return;
    const start = at + digits.length;
    const end = start + Number(digits);
    if (end > text.length || Number(digits) === 0) return;
    yield text.slice(start, end);
    at = end;
  }
}

/** Constructors, destructors, and operators by their two letters are left to the tools that know them all. */
function cpp(name: string): string | undefined {
  const nested = name.startsWith('_ZN');
  // Qualifiers of a member function: const, volatile, by reference.
  const text = name.slice(nested ? 3 : 2).replace(nested ? /^[rVK]*[RO]?/ : /^L/, '');
  const parts = [...sourceNames(text)];
  if (parts.length === 0) return undefined;
  const used = parts.reduce((sum, part) => sum + part.length + String(part.length).length, 0);
  const rest = text.slice(used);
  if (!nested) return parts.length === 1 || rest !== '' ? parts[0] : parts.join('::');
  // Rust's legacy mangling ends with a hash of 16 digits.
  if (/^h[\da-f]{16}$/.test(parts.at(-1)!)) return parts.slice(0, -1).map(unescaped).join('::');
  if (/^C[123]/.test(rest)) parts.push(parts.at(-1)!);
  else if (/^D[012]/.test(rest)) parts.push(`~${parts.at(-1)!}`);
  else if (!rest.startsWith('E')) return undefined;
  return parts.map((part) => (part.startsWith('_GLOBAL__N') ? '(anonymous namespace)' : part)).join('::');
}

const escapes: Readonly<Record<string, string>> = {
  SP: '@',
  BP: '*',
  RF: '&',
  LT: '<',
  GT: '>',
  LP: '(',
  RP: ')',
  C: ',',
};

/** `$LT$T$GT$` → `<T>`, `..` → `::`. */
function unescaped(part: string): string {
  return part
    .replace(/^_\$/, '$')
    .replace(/\$(\w+?)\$/g, (all, word: string) => {
      if (/^u[\da-f]{1,6}$/.test(word))
        return String.fromCodePoint(Math.min(Number.parseInt(word.slice(1), 16), 0x10ffff));
      return escapes[word] ?? all;
    })
    .replaceAll('..', '::');
}

/** Only plain paths: `_RNvNtCs1234_7mycrate3foo3bar` → `mycrate::foo::bar`. */
function rustV0(name: string): string | undefined {
  const [, tags, rest] = /^_R((?:N[a-zA-Z])+)C(.*)$/.exec(name) ?? [];
  if (tags === undefined || rest === undefined) return undefined;
  // The crate's disambiguator, and then a name for each level.
  const parts = [...sourceNames(rest.replace(/^s[\da-zA-Z]*_/, '').replace(/(?<=\D)_(?=\d)/g, ''))];
  return parts.length === tags.length / 2 + 1 ? parts.join('::') : undefined;
}
