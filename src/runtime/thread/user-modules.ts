import type { DeviceModule, MachineSpec } from '../../config/index.js';
import type { Device } from '../../devices/contract/index.js';
import type { HypercallOptions } from '../../devices/index.js';
import { ConfigError } from '../../errors.js';
import { importUserModule } from './typescript.js';

/** The devices and hypercalls from user modules; each call makes new ones. */
export interface UserParts {
  devices(): Device[];
  hypercalls(): Pick<HypercallOptions, 'calls'>;
}

/** Loads the modules that a machine's description names. @throws ConfigError for one that cannot be loaded */
export async function importUserParts({
  devices: named = [],
  hypercalls: calls,
}: Pick<MachineSpec, 'devices' | 'hypercalls'>): Promise<UserParts> {
  const devices = await Promise.all(
    named.map((one) => importMaker(one, 'device', '(options) => ({ name, ports, readPort, writePort })')),
  );
  const shape = '(options) => ({ 64: { name, handle(request, memory) { … } } })';
  const hypercalls = calls && (await importMaker(calls, 'hypercall', shape));
  return {
    devices: () => devices.map((make) => make() as Device),
    hypercalls: () =>
      hypercalls === undefined ? {} : { calls: hypercalls() as NonNullable<HypercallOptions['calls']> },
  };
}

/** The default export of a module that a user wrote, given its options: a function of the `shape` that the hint shows. */
async function importMaker(
  { module, options }: DeviceModule,
  what: string,
  shape: string,
): Promise<() => unknown> {
  let loaded: { default?: unknown };
  try {
    loaded = (await importUserModule(module)) as typeof loaded;
  } catch (cause) {
    const hint =
      (cause instanceof ConfigError ? cause.hint : undefined) ??
      asModule(module, cause) ??
      `give a module of JavaScript or TypeScript: export default ${shape}`;
    throw new ConfigError(
      `the ${what} module ${module} could not be loaded: ${(cause as Error).message.replace(/ imported from \S*$/, '')}`,
      hint,
    );
  }
  const make = loaded.default;
  if (typeof make === 'function') return () => (make as (options: unknown) => unknown)(options);
  throw new ConfigError(
    `the ${what} module ${module} has no function as its default export`,
    `export default ${shape}`,
  );
}

/** The hint for an ES module that Node takes for CommonJS, as its package.json says (`npm init` writes that). */
function asModule(module: string, cause: unknown): string | undefined {
  const [, name, ending] = /([^/]*)\.([jt]s)$/.exec(module) ?? [];
  const isTaken =
    cause instanceof SyntaxError && /^Unexpected token 'export'|^Cannot use import/.test(cause.message);
  if (!isTaken || name === undefined) return undefined;
  return `Node takes it for a CommonJS module: name it ${name}.m${ending}, or write "type": "module" into the package.json above it`;
}
