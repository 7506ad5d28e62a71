import type { Tone } from '../../devices/index.js';

/** The guest's indicators besides its console: the keyboard's lights (bits of `Led`), the speaker, whether the mouse is on. */
export interface MachineSigns {
  readonly leds: number;
  /** The speaker's tone in Hz; 0 while it is silent. */
  readonly frequency: number;
  /** How often a tone has begun since the machine was made. */
  readonly beeps: number;
  /** The guest listens to the mouse. */
  readonly mouse: boolean;
}

/** Collects the indicators of a run, so that a guest that flickers endlessly does not flood the receiving thread. */
export class Signs {
  #leds = 0;
  #frequency = 0;
  #beeps = 0;
  #mouse = false;
  #changed: boolean;

  /** @param changed the receiver may show other values: the first `post` sends them */
  constructor(changed = false) {
    this.#changed = changed;
  }

  setLeds(leds: number): void {
    this.#leds = leds;
    this.#changed = true;
  }

  setMouse(reports: boolean): void {
    this.#mouse = reports;
    this.#changed = true;
  }

  setTone({ frequency }: Tone): void {
    if (frequency > 0 && this.#frequency === 0) this.#beeps++;
    this.#frequency = frequency;
    this.#changed = true;
  }

  /** Sends the changes since the last call. */
  post(send: (message: { type: 'signs' } & MachineSigns) => void): void {
    if (!this.#changed) return;
    this.#changed = false;
    send({
      type: 'signs',
      leds: this.#leds,
      frequency: this.#frequency,
      beeps: this.#beeps,
      mouse: this.#mouse,
    });
  }
}
