// Definitions that kernel and monitor share.
#ifndef RUNTIME_H
#define RUNTIME_H

// Bytes written to this port appear on the console.
#define IO_PORT_PSEUDO_SERIAL 0xf1

#endif
