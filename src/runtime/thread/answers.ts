import { AnswerChecker, type AnswerRecorder, type ExitObserver } from '../../machine/index.js';
import type { ObserveOptions } from './protocol.js';

/** Observers of the devices' answers: one that keeps checksums for a record, one that compares them with an earlier run's. */
export function answersObservers(
  { replay, debug }: ObserveOptions,
  recorder: AnswerRecorder | undefined,
  names: readonly string[],
): ExitObserver[] {
  const observers: ExitObserver[] = [];
  if (recorder !== undefined)
    observers.push(observer((exit, _device, instructions) => recorder.note(exit, instructions)));
  // A debugger's user may change the guest, whose run then differs.
  if (replay?.answers !== undefined && !debug) {
    const checker = new AnswerChecker(replay.answers, names);
    observers.push(observer((exit, device, instructions) => checker.note(exit, device, instructions)));
  }
  return observers;
}

type Note = (exit: Parameters<ExitObserver['record']>[0], device: number, instructions: number) => void;

function observer(note: Note): ExitObserver {
  return {
    begin() {},
    flush() {},
    record(exit, device, _started, _ended, instructions) {
      if (instructions !== undefined) note(exit, device, instructions);
    },
  };
}
