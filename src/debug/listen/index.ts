/** The connections of debuggers: the part of this room that needs Node. */
export { DEFAULT_GDB_PORT, type DebugAddress, GdbServer, listenLocally, serveGdb } from './listen.js';
