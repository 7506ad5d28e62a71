import type { ApicTimerState } from './timer.js';

export interface LocalApicState {
  id: number;
  base: string;
  taskPriority: number;
  logical: number;
  format: number;
  spurious: number;
  command: number;
  destination: number;
  lvt: number[];
  errors: number;
  pendingErrors: number;
  requests: number[];
  inService: number[];
  level: number[];
  timer: ApicTimerState;
}
