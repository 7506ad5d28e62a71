/**
 * The thread of one of several vCPUs: it enters the guest on request of the machine's thread, and reports that the vCPU
 * has exited. The exit and its answer are in the mapping that both threads see.
 *
 * @module
 */
import { workerData } from 'node:worker_threads';
import { Control } from '../../contract/index.js';
import { errnoNumbers } from '../api/errno.js';
import { KVM_RUN } from '../api/ioctls.js';
import * as c from '../api/libc.js';
import { blockKicks, drainKicks, setThreadName, threadId } from '../api/signal.js';
import { MEMBER, STATE, type ThreadData } from './crew-words.js';

const { fd, words, control, index } = workerData as ThreadData;
const { ioctl, errno } = c.libc();
blockKicks();
setThreadName(`terrarium-cpu${index}`);
Atomics.store(words, MEMBER.thread, threadId());

for (;;) {
  const state = Atomics.load(words, MEMBER.state);
  if (state === STATE.ends) break;
  if (state !== STATE.inside) {
    Atomics.wait(words, MEMBER.state, state);
    continue;
  }
  let failed = 0;
  // A vCPU that waits for its start-up interrupt, or that just received it, may not be ready.
  do failed = ioctl(fd, KVM_RUN, 0) === 0 ? 0 : errno();
  while (failed === errnoNumbers.EAGAIN);
  if (failed === errnoNumbers.EINTR) drainKicks();
  Atomics.store(words, MEMBER.errno, failed);
  Atomics.store(words, MEMBER.state, STATE.left);
  Atomics.notify(words, MEMBER.state);
  Atomics.add(control, Control.wake, 1);
  Atomics.notify(control, Control.wake);
}
Atomics.store(words, MEMBER.state, STATE.ended);
Atomics.notify(words, MEMBER.state);
