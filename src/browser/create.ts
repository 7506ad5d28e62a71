/**
 * Machines and their engine on the caller's thread.
 *
 * @module
 */
import { type SoftEngine, softEngine, type TranslateMode } from '../engine/soft/index.js';
import { ConfigError, TerrariumError } from '../errors.js';
import {
  createFrom,
  type Machine,
  type MachineOptions,
  type Opener,
  restoreFrom,
  restoresBy,
} from '../pc/index.js';

/**
 * Makes a machine as `createMachine` of the main entry does: a PC with its devices, described by the same fields. The engine comes from
 * `loadSoftEngine`, and the image is bytes or a result of `parseImage`: a browser opens neither by name. @throws ConfigError for an unknown
 * field or a value of a wrong kind, ImageError, GuestMemoryError
 */
export function createMachine(options: MachineOptions): Machine {
  return createFrom(options, opener);
}

/** A browser opens nothing by name. */
const opener: Opener = {
  engine: (name) => {
    throw new ConfigError(
      `createMachine: there is no engine '${name}' by name in a browser`,
      'give one: engine: await loadSoftEngine(url)',
    );
  },
  image: (path) => {
    throw new ConfigError(`createMachine: '${path}' cannot be opened in a browser`, 'fetch its bytes');
  },
  beside: ({ initrds = [], modules = [] }) => {
    const [named] = [...initrds, ...modules];
    if (named === undefined) return undefined;
    throw new ConfigError(
      `createMachine: '${named}' cannot be opened in a browser`,
      'fetch its bytes, and give beside: { initrds: [{ text: "initrd", bytes }] }',
    );
  },
  firmware: ({ firmware }) => {
    if (firmware === undefined) return undefined;
    throw new ConfigError(
      `createMachine: '${firmware}' cannot be opened in a browser`,
      'omit it: Terrarium’s own BIOS needs no file',
    );
  },
  fwCfg: ({ fwCfg = [] }) => {
    const named = fwCfg.find(({ file }) => file !== undefined);
    if (named !== undefined)
      throw new ConfigError(
        `createMachine: '${named.file}' cannot be opened in a browser`,
        'give its contents as a text: fwCfg: [{ name: "opt/greeting", text: "hello" }]',
      );
    const encoder = new TextEncoder();
    const texts = fwCfg.map(({ name, text = '' }) => [name, encoder.encode(text)] as const);
    return texts.length === 0 ? undefined : Object.fromEntries(texts);
  },
  networks({ nets = [] }) {
    if (nets.length === 0) return undefined;
    throw new ConfigError(
      'createMachine: a browser has no sockets for a network card',
      'give networks: [{ transmit(frame) {}, frames: { available: false, read() {} } }], the network of the card',
    );
  },
  drives: ({ disks = [], floppies = [], cdroms = [] }) => {
    const [named] = [...disks, ...floppies, ...cdroms];
    if (named === undefined) return undefined;
    throw new ConfigError(
      `createMachine: '${named.file}' cannot be opened in a browser`,
      'fetch its bytes, and give drives: new Drives([{ name: "hd0", kind: "disk", file: "disk.img", disk: new MemoryDisk(bytes) }])',
    );
  },
};

restoresBy((snapshot, options) => restoreFrom(snapshot, options, opener));

/** See `loadSoftEngine`. */
export interface LoadOptions {
  /** Hot guest code is translated (`on`, the default), or only interpreted. */
  translate?: TranslateMode;
}

/**
 * The software engine from its compiled program, `terrarium-vm/soft.wasm`: a URL, or a pending response. It compiles while it loads, where
 * the server sends the type `application/wasm`.
 *
 * @throws TerrariumError `EISOLATION` in a page that is not cross-origin isolated, since guest RAM is shared memory;
 *   `ELOAD` where there is no such file
 */
export async function loadSoftEngine(
  from: string | URL | Response | PromiseLike<Response>,
  { translate = 'on' }: LoadOptions = {},
): Promise<SoftEngine> {
  if (globalThis.crossOriginIsolated === false) {
    throw new TerrariumError('EISOLATION', 'this page may not have shared memory, which guest RAM needs', {
      hint: 'serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
    });
  }
  const response = await (typeof from === 'string' || from instanceof URL ? fetch(from) : from);
  if (!response.ok) {
    const message = `the software CPU was not found at ${response.url}: ${response.status} ${response.statusText}`;
    throw new TerrariumError('ELOAD', message, { hint: 'serve dist/soft.wasm, and give its URL' });
  }
  const streams = response.headers.get('Content-Type') === 'application/wasm';
  // The translator reads the meaning of each instruction from the same bytes.
  const copy = response.clone();
  const [program, bytes] = await Promise.all([
    streams ? WebAssembly.compileStreaming(response) : response.arrayBuffer().then(WebAssembly.compile),
    copy.arrayBuffer(),
  ]);
  return softEngine(program, undefined, { mode: translate, bytes: () => new Uint8Array(bytes) });
}
