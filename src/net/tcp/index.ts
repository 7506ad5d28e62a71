/** TCP that ends in this process. */
export type { Ends } from './connection.js';
export { Connections, MOST_CONNECTIONS, type OpenStream, type TcpWire } from './connections.js';
