/**
 * The whole state of a machine as plain data, which survives `structuredClone`.
 *
 * Every room with state saves and loads its own: CPUs, clock and alarms, interrupt lines, devices (including controllers), inputs and RAM.
 * A machine that loads a state must be made in the same way as the one that saved it: with the same memory and devices.
 *
 * @module
 */

import type { Device } from '../../devices/contract/index.js';
import type { EngineCpu } from '../../engine/contract/index.js';
import { TerrariumError } from '../../errors.js';
import { capturePages, type GuestMemory, type PagesState, restorePages } from '../../memory/index.js';
import type { AlarmClock, ClockState } from '../../time/index.js';
import type { CpuState } from '../../x86/index.js';
import type { Bus, ClaimState } from '../bus/bus.js';
import type { Turns, TurnsState } from '../cpus/turns.js';
import type { Inputs, InputsState } from '../inputs/index.js';
import type { Interrupts, LinesState } from '../interrupts/interrupts.js';
import type { WrittenPages } from './written-pages.js';

/** `MachineState.version` of the states that this version of Terrarium saves and loads. */
export const MACHINE_STATE_VERSION = 1;

export interface MachineState {
  version: typeof MACHINE_STATE_VERSION;
  /** One for each CPU, in their order. */
  cpus: CpuState[];
  clock: ClockState;
  lines: LinesState;
  devices: { name: string; state: unknown }[];
  /** Where the devices' claims are, in the order in which they were made. */
  claims: ClaimState[];
  inputs: InputsState;
  memory: PagesState;
  /** Exits so far. */
  exits: number;
  /** The guest sleeps in a HLT. */
  sleeps: boolean;
  /** How several CPUs take turns, where there are several. */
  turns?: TurnsState;
}

/** The parts of a machine that form its state. */
export interface Saveable {
  readonly cpus: readonly EngineCpu[];
  readonly memory: GuestMemory;
  readonly devices: readonly Device[];
  readonly bus: Bus;
  readonly clock: AlarmClock;
  readonly interrupts: Interrupts;
  readonly inputs: Inputs;
  readonly writtenPages: WrittenPages;
  exits: number;
  sleeps: boolean;
  readonly turns: Turns | undefined;
  /** The number of the CPU that left its guest last. */
  current: number;
  /** Sets the time to `moment`. */
  setTime(moment: number): void;
}

/** A state that does not fit this machine: names the part and the error. */
export class MachineStateError extends TerrariumError {
  constructor(problem: string) {
    super('ESTATE', `the machine's state cannot be loaded: ${problem}`, {
      hint: 'make the machine with the same memory, devices and version of Terrarium as the one that saved it',
    });
  }
}

/** The state of a stopped machine. @throws MachineStateError where a device cannot give its own */
export function saveMachine(machine: Saveable): MachineState {
  const { cpus, devices, interrupts, clock, inputs, exits, sleeps } = machine;
  // An INIT that has come reaches its CPU first.
  const turns = machine.turns?.save();
  const withoutState = devices.find((device) => device.save === undefined || device.load === undefined);
  if (withoutState !== undefined)
    throw new MachineStateError(`device '${withoutState.name}' has no methods \`save\` and \`load\``);
  if (interrupts.hidesState)
    throw new MachineStateError(
      'its interrupt controllers are inside the engine, which does not save their state',
    );
  // Devices first: one that brings itself up to date may drive its line or set its alarm.
  const states = devices.map((device) => ({ name: device.name, state: device.save?.() }));
  return {
    version: MACHINE_STATE_VERSION,
    cpus: cpus.map((cpu) => cpu.getState()),
    clock: clock.save(),
    lines: interrupts.save(),
    devices: states,
    claims: machine.bus.save(),
    inputs: inputs.save(),
    memory: captureMemory(machine),
    exits,
    sleeps,
    ...(turns && { turns }),
  };
}

function captureMemory({ memory, writtenPages }: Saveable): PagesState {
  const { copy } = writtenPages;
  if (copy === undefined) return capturePages(memory);
  const state = capturePages(memory, copy, writtenPages.since(copy));
  writtenPages.begin(state);
  return state;
}

function restoreMemory({ memory, writtenPages }: Saveable, state: PagesState): void {
  restorePages(memory, state, writtenPages.since(state));
  if (writtenPages.copy !== undefined) writtenPages.begin(state);
}

/**
 * Makes a stopped machine continue as the one that saved the state, even on another engine. @throws TerrariumError (`ESTATE`, `EMEMORY`)
 * for a state that does not fit this machine: parts of it may have been loaded
 */
export function loadMachine(machine: Saveable, state: MachineState): void {
  requireFit(machine, state);
  const { cpus, devices, interrupts, clock, inputs } = machine;
  restoreMemory(machine, state.memory);
  // The time is set before the devices, which compute their next event; then each alarm at its exact moment.
  for (const [index, cpu] of cpus.entries()) cpu.setState(state.cpus[index]!);
  machine.setTime(state.clock.now);
  machine.exits = state.exits;
  try {
    machine.bus.load(state.claims);
  } catch (error) {
    throw new MachineStateError((error as Error).message);
  }
  interrupts.load(state.lines, () => {
    for (const [index, device] of devices.entries()) device.load?.(state.devices[index]!.state);
  });
  try {
    clock.load(state.clock);
  } catch (error) {
    throw new MachineStateError((error as Error).message);
  }
  inputs.load(state.inputs);
  machine.sleeps = state.sleeps;
  if (machine.turns === undefined) return;
  machine.turns.load(state.turns!);
  machine.current = machine.turns.turn;
}

function requireFit({ cpus, devices, interrupts }: Saveable, state: MachineState): void {
  if (state.version !== MACHINE_STATE_VERSION)
    throw new MachineStateError(`it has version ${String(state.version)}, not ${MACHINE_STATE_VERSION}`);
  if (interrupts.hidesState)
    throw new MachineStateError(
      'this machine’s interrupt controllers are inside the engine, which cannot load their state',
    );
  for (const [what, value] of [
    ['clock.now', state.clock.now],
    ['exits', state.exits],
  ] as const)
    if (!Number.isSafeInteger(value) || value < 0)
      throw new MachineStateError(`\`${what}\` is ${String(value)}, not a whole number from 0`);
  if (state.cpus.length !== cpus.length)
    throw new MachineStateError(`it has ${state.cpus.length} CPUs, and this machine ${cpus.length}`);
  if (cpus.length > 1 && state.turns === undefined)
    throw new MachineStateError('it does not say whose turn it is of its CPUs');
  const [there, here] = [state.devices, devices].map((some) => some.map(({ name }) => name).join(', '));
  if (there !== here) throw new MachineStateError(`its devices are ${there}; this machine has ${here}`);
}
