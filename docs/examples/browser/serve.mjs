// Serves this package to a browser on this machine: node docs/examples/browser/serve.mjs [PORT]
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const server = createServer(async ({ url }, response) => {
  const { pathname } = new URL(url, 'http://localhost');
  const name = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
  try {
    // A URL's pathname has no '..' left in it; what is encoded stays so.
    const body = await readFile(path.join(root, name));
    const type = types[path.extname(name)] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, ...isolated }).end(body);
  } catch {
    response.writeHead(404).end('not found');
  }
});

const [port = '8080'] = process.argv.slice(2);
server.listen(Number(port), '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}/docs/examples/browser/`);
});
