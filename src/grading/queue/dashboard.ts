/**
 * The queue as a page, by bull-board: only on this host.
 *
 * @module
 */
import type { AddressInfo } from 'node:net';
import { connect, loadQueue, QueueError, queueName } from './connect.js';

export interface Dashboard extends Disposable {
  readonly url: string;
}

async function loadBoard() {
  try {
    return {
      ...(await import('@bull-board/api')),
      ...(await import('@bull-board/api/bullMQAdapter')),
      ...(await import('@bull-board/hono')),
      ...(await import('hono')),
      ...(await import('@hono/node-server')),
      ...(await import('@hono/node-server/serve-static')),
    };
  } catch (cause) {
    throw new QueueError(
      'the dashboard needs packages that are not installed',
      'npm install @bull-board/api @bull-board/ui @bull-board/hono hono',
      cause,
    );
  }
}

/** Serves the dashboard on a port of the loopback address; 0 is any. @throws QueueError */
export async function serveDashboard(
  url: string,
  port: number,
  say: (text: string) => void,
): Promise<Dashboard> {
  const { bullmq } = await loadQueue();
  const board = await loadBoard();
  const redis = await connect(url, say);
  const queue = new bullmq.Queue(queueName(), { connection: redis });
  queue.on('error', () => {});
  const adapter = new board.HonoAdapter(board.serveStatic);
  // Read-only: `grade` removes the jobs.
  const options = { readOnlyMode: true };
  board.createBullBoard({ queues: [new board.BullMQAdapter(queue, options)], serverAdapter: adapter });
  const app = new board.Hono();
  let served = '';
  // A page of another origin may not reach it by a name that resolves to this host (DNS rebinding).
  app.use('*', async (context, next) => {
    if (context.req.header('host') === served) return next();
    return context.text('open the address that the command has printed\n', 403);
  });
  adapter.setBasePath('/');
  app.route('/', adapter.registerPlugin());
  return new Promise((resolve, reject) => {
    const server = board.serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, (info: AddressInfo) => {
      served = `127.0.0.1:${info.port}`;
      resolve({
        url: `http://${served}/`,
        [Symbol.dispose]() {
          server.close();
          void queue.close().catch(() => {});
          redis.disconnect();
        },
      });
    });
    server.once('error', (cause: Error) => {
      redis.disconnect();
      reject(new QueueError(`port ${port} cannot be served: ${cause.message}`, 'choose another one'));
    });
  });
}
