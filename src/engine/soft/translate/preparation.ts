/**
 * Prepares the parts of a region's function, one at a time, since a new operation takes some time.
 *
 * @module
 */
import * as L from '../layout.js';
import type { Region } from './region.js';
import { SAME_FLAGS } from './template.js';
import type { Templates } from './templates.js';

export class Preparation {
  readonly region: Region;
  readonly #templates: Templates;
  readonly #view: DataView;
  #node = 0;
  #index = 0;
  #flags: number | undefined;

  constructor(region: Region, templates: Templates, view: DataView) {
    this.region = region;
    this.#templates = templates;
    this.#view = view;
  }

  /** Continues until all is ready (true), or until `deadline`, in milliseconds of `performance.now()`. */
  goOn(deadline: number): boolean {
    const { nodes, mode, mostLeft } = this.region;
    for (; this.#node < nodes.length; this.#node++, this.#index = 0, this.#flags = undefined) {
      const { block, count, delta } = nodes[this.#node]!;
      for (; this.#index <= count; this.#index++) {
        const { made } = this.#templates;
        const record = block + L.BLOCK_OPS + this.#index * L.OP_SIZE;
        const place = { view: this.#view, record, delta };
        const template = this.#templates.get(place, mode, this.#flags, mostLeft !== 0);
        if (template === null || template.performs) this.#flags = undefined;
        else if (template.flags !== SAME_FLAGS) this.#flags = template.flags;
        if (this.#templates.made === made || performance.now() < deadline) continue;
        this.#index++;
        return false;
      }
    }
    return true;
  }
}
