/**
 * Carries out the keys: asks the debugger, and puts the result into the model. One key after the other; a running guest can be stopped in
 * between.
 *
 * @module
 */
import { type Debugger, type DebugStop, errorText } from '../../debug/index.js';
import type { Picture } from '../../devices/contract/index.js';
import type { PhysicalMemory } from '../../inspect/index.js';
import { needsExplanation } from '../frontend/ending.js';
import { listedText, sourceAround } from '../frontend/source-list.js';
import { type Action, actionOf, helpLines, paneOf } from './bindings.js';
import { watchOperand } from './effects.js';
import type { ExitFeed } from './exit-feed.js';
import type { Place } from './layout.js';
import type { Model } from './model.js';
import { isMove, Navigation } from './navigation.js';
import { changePoint, toggleAt } from './points.js';
import { isTravel, Prompts } from './prompts.js';
import { type PaneContext, refresh, refreshPlaces, type StackMemory } from './refresh.js';
import { SourceText } from './source-text.js';
import { TimeWalk } from './time-walk.js';
import { travel } from './travel.js';
import { doTyped } from './typed.js';
import { frameLines, stepWords, stopWords } from './words.js';

/**
 * A run that takes longer is shown as running, and keys stop it: milliseconds. Keys that are held down make many short runs.
 */
const SHOWN_AFTER_MS = 80;
/** How many frames are shown. */
const FRAMES = 64;
/** How many keys may wait for the previous one; more are dropped. */
const MAX_WAITING = 64;

/** The guest apart from its debugger: its screen and its input. */
export interface Guest {
  readonly memory: PhysicalMemory;
  screen(): Promise<Picture | undefined>;
  /** Types the text of the command line's `--type`, if any. */
  typeAgain(): void;
}

export interface ControllerParts {
  model: Model;
  debugger: Debugger;
  exits: ExitFeed;
  guest: Guest;
  /** Why this engine was chosen, where that needs an explanation. */
  because?: string | undefined;
  /** The image's folder: sources may be in it. */
  folder: string;
  places(): readonly Place[];
  /** The model has changed. */
  onChange(): void;
  /** The user quits. */
  onQuit(): void;
  /** Redraws the whole terminal. */
  onRedraw(): void;
}

export class Controller {
  readonly #parts: ControllerParts;
  readonly #context: PaneContext;
  readonly #stack: StackMemory = {};
  readonly #prompts = new Prompts();
  readonly #navigation: Navigation;
  readonly #walk: TimeWalk;
  readonly #waiting: string[] = [];
  /** The current action, and the keys pressed in the meantime. */
  #work: Promise<void> | undefined;
  #leaving = false;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#context = {
      model: parts.model,
      debugger: parts.debugger,
      sources: new SourceText(parts.folder),
      places: parts.places,
    };
    this.#navigation = new Navigation(this.#context);
    this.#walk = new TimeWalk({
      context: this.#context,
      stack: this.#stack,
      waiting: () => this.#waiting[0],
      goTo: (moment) => this.#run(() => parts.debugger.goTo(moment)),
      say: (text, tone) => this.#say(text, tone),
    });
  }

  /** Shows the guest for the first time. */
  start(): Promise<void> {
    return this.#do(async () => {
      await this.#look();
      const { symbol } = await this.#parts.debugger.state();
      const because = this.#parts.because === undefined ? '' : `; ${this.#parts.because}`;
      this.#say(
        `the guest is stopped before its first instruction${symbol === undefined ? '' : `, ${symbol}`}${because}`,
      );
    });
  }

  /** The sizes of the panes have changed. */
  resized(): void {
    this.#walk.resized();
    if (this.#work === undefined) void this.#do(async () => {});
  }

  /** Resolves when nothing is left to do. */
  press(key: string): Promise<void> {
    const { model } = this.#parts;
    if (model.phase === 'running') this.#pressWhileRunning(key);
    else if (this.#work === undefined) return this.#do(() => this.#handle(key));
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(key);
    return this.#work ?? Promise.resolve();
  }

  /** Time for a signal that ends the process. */
  async stop(): Promise<void> {
    this.#leaving = true;
    this.#waiting.length = 0;
    await this.#parts.debugger.interrupt();
  }

  #pressWhileRunning(key: string): void {
    const { model, onChange, onRedraw } = this.#parts;
    if (key === 'Ctrl-L') onRedraw();
    else if (key === 'Ctrl-C') this.#interrupt();
    else if (key === 'q' || actionOf(key) === 'quit') this.#parts.onQuit();
    else if (actionOf(key) === 'input') this.#startTyping();
    else if (model.overlay !== undefined || actionOf(key) === 'help') this.#read(key);
    else if (actionOf(key) === 'zoom') model.zoomed = !model.zoomed;
    else if (!this.#navigation.withoutGuest(key) && !isMove(key)) this.#interrupt();
    onChange();
  }

  #interrupt(): void {
    this.#parts.debugger.interrupt().catch((error) => this.#say(errorText(error), 'bad'));
  }

  /** Keys of an overlay; any other closes it. */
  #read(key: string): void {
    const { model } = this.#parts;
    if (model.overlay === undefined) model.overlay = { title: 'Help', lines: helpLines(), top: 0 };
    else if (!this.#navigation.overlay(key)) model.overlay = undefined;
  }

  async #handle(key: string): Promise<void> {
    const { model } = this.#parts;
    if (key === 'Ctrl-L') return this.#parts.onRedraw();
    if (model.prompt !== undefined) return this.#promptKey(key);
    if (model.overlay !== undefined) return this.#read(key);
    if (key === 'Ctrl-C') return this.#parts.onQuit();
    if (await this.#walk.key(key)) return;
    const pane = paneOf(key);
    const action = actionOf(key);
    if (model.focus === 'points' && (key === 'Enter' || key === 'Delete'))
      this.#say(await changePoint(this.#context, key));
    else if (action !== undefined) await this.#act(action);
    else if (await this.#navigation.key(key)) await this.#afterMove(pane !== undefined || /Tab$/.test(key));
  }

  /** A pane that was hidden before has no content yet. */
  async #afterMove(anotherFocus: boolean): Promise<void> {
    if (anotherFocus) await refreshPlaces(this.#context, this.#stack);
  }

  async #act(action: Action): Promise<void> {
    const { model, debugger: held } = this.#parts;
    switch (action) {
      case 'step':
        return this.#step(() => held.step());
      case 'next':
        return this.#step(() => held.next());
      case 'line':
        return this.#run(() => held.nextLine());
      case 'lineInto':
        return this.#run(() => held.stepLine());
      case 'finish':
        return this.#run(() => held.finish());
      case 'continue':
        return this.#run(() => held.resume());
      case 'toCursor':
        return this.#run(() => held.runTo(model.cursor));
      case 'stepBack':
        return this.#run(() => held.stepBack());
      case 'nextBack':
        return this.#run(() => held.nextBack());
      case 'lineBack':
        return this.#run(() => held.nextLineBack());
      case 'finishBack':
        return this.#run(() => held.finishBack());
      case 'continueBack':
        return this.#run(() => held.resumeBack());
      case 'breakpoint':
        return this.#say(await toggleAt(this.#context, model.cursor));
      case 'breakpointAt':
      case 'watch':
      case 'evaluate':
      case 'memory':
      case 'code':
      case 'moment':
      case 'wrote':
      case 'nextWrite':
      case 'changed':
      case 'held':
      case 'source':
      case 'origin':
        model.prompt = this.#prompts.open(action);
        return;
      case 'timeline':
        return this.#walk.toggle();
      case 'callers':
        model.overlay = { title: 'Callers', lines: frameLines(await held.backtrace(FRAMES)), top: 0 };
        return;
      case 'cpu':
        return this.#nextCpu();
      case 'input':
        return this.#startTyping();
      case 'why':
        model.overlay = { title: 'Why', lines: (await held.target.describe('why')).split('\n'), top: 0 };
        return;
      case 'restart':
        return this.#restart();
      case 'zoom':
        model.zoomed = !model.zoomed;
        return refreshPlaces(this.#context, this.#stack);
      case 'help':
        return this.#read('');
      case 'quit':
        return this.#parts.onQuit();
    }
  }

  /** Looks at the next CPU. */
  async #nextCpu(): Promise<void> {
    const { debugger: held } = this.#parts;
    const { count, current } = await held.cpus();
    if (count === 1) return this.#say('the machine has one CPU (--smp 2 gives it two)');
    const next = (current + 1) % count;
    await held.select(next);
    await this.#look();
    const { pc, symbol } = await held.state();
    this.#say(`CPU ${next} of ${count}, at 0x${pc.toString(16)}${symbol === undefined ? '' : `, ${symbol}`}`);
  }

  /** Runs one instruction, and says what it did. */
  async #step(step: () => Promise<DebugStop>): Promise<void> {
    const { model, debugger: held } = this.#parts;
    const row = model.code.find(({ address }) => address === model.pc);
    const before = model.view;
    const exits = model.exits;
    const written = before && (await watchOperand(held, before, this.#parts.guest.memory));
    const stop = await this.#go(step);
    const { view, pc, bits, symbol } = await held.state();
    if (stop.why === 'step' && before !== undefined) {
      const exit = model.exits > exits ? model.exitRows.at(-1)?.words : undefined;
      const effects = [exit, await written?.()].filter((one) => one !== undefined && one !== '') as string[];
      this.#say(stepWords(row, before, view, { pc, bits, symbol, effects }));
    } else await this.#sayStop(stop);
  }

  async #run(run: () => Promise<DebugStop>): Promise<void> {
    await this.#sayStop(await this.#go(run));
  }

  /** Lets the guest run, and shows where it stops. */
  async #go(run: () => Promise<DebugStop>): Promise<DebugStop> {
    const { model, onChange } = this.#parts;
    const shown = setTimeout(() => {
      model.phase = 'running';
      this.#say('the guest runs', 'running');
      onChange();
    }, SHOWN_AFTER_MS);
    try {
      const stop = await run();
      model.outcome = stop.why === 'end' ? stop.outcome : undefined;
      return stop;
    } finally {
      clearTimeout(shown);
      model.phase = model.outcome === undefined ? 'stopped' : 'ended';
      if (!this.#leaving) await this.#look();
    }
  }

  async #sayStop(stop: DebugStop): Promise<void> {
    const { model, debugger: held } = this.#parts;
    const place = held.symbols.locate(stop.pc) ?? `0x${stop.pc.toString(16)}`;
    const by =
      stop.by === undefined ? undefined : (held.symbols.locate(stop.by) ?? `0x${stop.by.toString(16)}`);
    const { text, tone } = stopWords(stop, model, place, by);
    this.#say(text, tone);
    if (stop.outcome !== undefined && stop.again !== true && needsExplanation(stop.outcome))
      await this.#act('why');
  }

  async #look(): Promise<void> {
    const { model, exits, guest } = this.#parts;
    await refresh(this.#context, this.#stack);
    const before = model.history;
    model.history = await this.#parts.debugger.history();
    this.#walk.moved(before);
    model.exits = exits.count;
    model.exitRows = exits.rows;
    if (model.hasScreen) model.picture = await guest.screen();
  }

  async #promptKey(key: string): Promise<void> {
    const { model } = this.#parts;
    const typed = this.#prompts.press(model, key);
    if (typed === undefined) return;
    const { kind, text } = typed;
    if (isTravel(kind)) return this.#run(() => travel(this.#parts.debugger, kind, text, this.#report));
    if (kind === 'origin') return this.#tellOrigin(text);
    if (kind === 'source') return this.#showSource(text);
    this.#say(await doTyped(this.#context, this.#stack, kind, text));
  }

  /** How far a long search has come. */
  readonly #report = (done: number, all: number): void => {
    const { model, onChange } = this.#parts;
    if (model.phase !== 'running') return;
    const [searched, whole] = [done.toLocaleString('en'), all.toLocaleString('en')];
    this.#say(`searched ${searched} of ${whole} instructions; any key stops it`, 'running');
    onChange();
  };

  async #showSource(where: string): Promise<void> {
    const { model, debugger: held } = this.#parts;
    const lines = await sourceAround(held, where, (file) => this.#context.sources.of(file));
    if (lines === undefined)
      return this.#say('no source is known there: compile it with -g, beside the image', 'bad');
    model.overlay = {
      title: where === '' ? 'Source' : `Source of ${where}`,
      lines: lines.map(listedText),
      top: 0,
    };
  }

  /** The search goes through the past, so it can be interrupted as a run can. */
  async #tellOrigin(what: string): Promise<void> {
    const { model, debugger: held } = this.#parts;
    let lines: string[] = [];
    await this.#run(async () => {
      lines = (await held.origin(what)).text.split('\n');
      return { why: 'step', breakpoints: [], notes: [], ...(await held.target.here()) };
    });
    if (lines.length > 0) model.overlay = { title: `Where ${what} comes from`, lines, top: 0 };
  }

  #startTyping(): void {
    const { model } = this.#parts;
    model.typing = model.focus === 'screen' ? 'keyboard' : 'serial';
    this.#say(`typing to the guest’s ${model.typing === 'serial' ? 'serial port' : 'keyboard'}`, 'running');
  }

  async #restart(): Promise<void> {
    const { model, debugger: held, exits, guest } = this.#parts;
    await held.target.restart();
    held.changed();
    exits.clear();
    model.console.clear();
    model.picture = undefined;
    model.outcome = undefined;
    model.phase = 'stopped';
    model.view = undefined;
    model.code = [];
    model.history = undefined;
    await this.#look();
    guest.typeAgain();
    this.#say('the guest is at its start again');
  }

  #say(text: string, tone: Model['message']['tone'] = 'plain'): void {
    this.#parts.model.message = { text, tone };
  }

  /** Does one action, then those for the keys pressed in the meantime. Errors are shown, and the debugger continues. */
  #do(work: () => Promise<void>): Promise<void> {
    this.#walk.wake();
    this.#work = this.#loop(work).finally(() => {
      this.#work = undefined;
    });
    return this.#work;
  }

  async #loop(work: () => Promise<void>): Promise<void> {
    for (let next: (() => Promise<void>) | undefined = work; next !== undefined; ) {
      await this.#safely(next);
      this.#parts.onChange();
      const key = this.#waiting.shift();
      if (key !== undefined) this.#walk.wake();
      next = key !== undefined ? () => this.#handle(key) : this.#leaving ? undefined : this.#walk.idle();
    }
  }

  async #safely(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#say(errorText(error), 'bad');
    }
  }
}
