/**
 * Serves the lab on the loopback interface: a fixed set of files, and a compiler for clients with the token.
 *
 * Every other page that the user visits can reach a port of this computer. So the server answers only requests that name it by its own
 * address (another name would be DNS rebinding), and the compiler needs a token that only the printed address contains.
 *
 * @module
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { TerrariumError } from '../../errors.js';
import { CompileRefused, compileSubmitted } from './compile.js';
import { type LinuxFiles, offeredLinux } from './linux.js';

export const DEFAULT_LAB_PORT = 8086;

const NO_TOKEN = 'the token is missing or wrong: open the address that terrarium lab printed';
/** Bytes of a request's body, at most. */
const MOST_BODY = 4 * 1024 * 1024;
/** A request's headers must have come after this, and all of it after that: milliseconds. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const MAX_CONNECTIONS = 64;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

export const labHeaders: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "connect-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "frame-ancestors 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/** A server that runs. */
export interface LabServer {
  readonly port: number;
  /** The address that opens the lab with its compiler. */
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

/** The page's files by their addresses. They are found once: a request never names a path of this host. */
function pageFiles(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const name of entries) {
    const file = path.join(folder, name);
    if (statSync(file).isFile()) found.set(`/${name.split(path.sep).join('/')}`, file);
  }
  const page = found.get('/index.html');
  if (page === undefined)
    throw new TerrariumError('ELAB', `${folder} has no page`, { hint: 'build it: npm run build' });
  return found.set('/', page);
}

/** How the lab is served. */
export interface LabOptions {
  /** 0: any that is free. */
  readonly port?: number;
  readonly compiles?: boolean;
  /** The kernel to offer; default: the newest of this computer. */
  readonly linux?: LinuxFiles;
}

/**
 * Serves the lab.
 * @throws TerrariumError where the port is taken, or the page was not built
 */
export async function serveLab({
  port = DEFAULT_LAB_PORT,
  compiles = true,
  linux,
}: LabOptions = {}): Promise<LabServer> {
  const folder = fileURLToPath(new URL('dist/lab', import.meta.resolve('#package')));
  const files = pageFiles(folder);
  const token = randomBytes(24).toString('base64url');
  const app = new Hono();
  let bound = port;
  app.use(async (context, next) => {
    const refused = refusal(context, bound);
    if (refused !== undefined) return context.text(refused, 403);
    await next();
    for (const [name, value] of Object.entries(labHeaders)) context.header(name, value);
  });
  app.post(
    '/api/compile',
    bodyLimit({
      maxSize: MOST_BODY,
      onError: (context) => context.text(`a request has at most ${MOST_BODY} bytes`, 413),
    }),
    async (context) => {
      if (!compiles || !isToken(context.req.header('X-Terrarium-Token'), token))
        return context.text(NO_TOKEN, 403);
      return compiled(context);
    },
  );
  const offered = offeredLinux(linux);
  app.get('/api/linux/:part?', (context) => {
    if (!isToken(context.req.header('X-Terrarium-Token'), token)) return context.text(NO_TOKEN, 403);
    const part = context.req.param('part');
    if (part === undefined) return context.json({ name: offered?.name ?? null });
    if (offered === undefined) return context.text('this computer has no kernel to offer', 404);
    if (part !== 'kernel' && part !== 'initrd') return context.text('there is no such file', 404);
    return context.body(new Uint8Array(offered[part]()), 200, { 'Content-Type': 'application/octet-stream' });
  });
  app.get('*', (context) => {
    const file = files.get(context.req.path);
    if (file === undefined) return context.text('there is no such file', 404);
    const type = types[path.extname(file)] ?? 'application/octet-stream';
    return context.body(new Uint8Array(readFileSync(file)), 200, { 'Content-Type': type });
  });
  app.all('*', (context) => context.text('only GET', 405));
  const server = await listening(app, port);
  bound = (server.address() as { port: number }).port;
  const url = `http://localhost:${bound}/?token=${token}`;
  return { port: bound, url, token, close: () => closed(server) };
}

/** Why a request is refused; undefined where it is answered. */
function refusal(context: Context, port: number): string | undefined {
  const names = ['localhost', '127.0.0.1', '[::1]'].map((name) => `${name}:${port}`);
  const host = context.req.header('Host') ?? '';
  if (!names.includes(host)) return `this server is not '${host.slice(0, 100).replace(/[^\w.:[\]-]/g, '?')}'`;
  const origin = context.req.header('Origin');
  if (origin !== undefined && !names.some((name) => origin === `http://${name}`))
    return 'requests come from the lab’s own page';
  const site = context.req.header('Sec-Fetch-Site');
  if (site === 'cross-site' && context.req.header('Sec-Fetch-Mode') !== 'navigate')
    return 'requests come from the lab’s own page';
  return undefined;
}

function isToken(given: string | undefined, token: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function compiled(context: Context): Promise<Response> {
  let asked: unknown;
  try {
    asked = await context.req.json();
  } catch {
    return context.text('the request is not JSON', 400);
  }
  try {
    return context.body(new Uint8Array(compileSubmitted(asked)), 200, {
      'Content-Type': 'application/octet-stream',
    });
  } catch (error) {
    if (error instanceof CompileRefused) return context.text(error.message, 400);
    if (error instanceof TerrariumError)
      return context.text(error.hint === undefined ? error.message : `${error.message} (${error.hint})`, 422);
    throw error;
  }
}

function listening(app: Hono, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => resolve(server)) as Server;
    server.headersTimeout = HEADERS_MS;
    server.requestTimeout = REQUEST_MS;
    server.maxConnections = MAX_CONNECTIONS;
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'it is taken' : (cause.code ?? cause.message);
      reject(
        new TerrariumError('ELAB', `the lab cannot listen at port ${port}: ${why}`, {
          hint: 'another one: --port 0 takes any that is free',
          cause,
        }),
      );
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
