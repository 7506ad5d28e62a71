/**
 * `<terrarium-lab src="…">`: the lab in another page, with the content of a link.
 *
 * ```html
 * <script type="module" src="/lab/embed.js"></script>
 * <terrarium-lab src="#hello" height="480"></terrarium-lab>
 * ```
 *
 * @module
 */
const home = new URL('.', import.meta.url);

class TerrariumLab extends HTMLElement {
  static readonly observedAttributes = ['src', 'height'];
  #frame: HTMLIFrameElement | undefined;

  connectedCallback(): void {
    this.#frame ??= this.#make();
    this.#show();
  }

  attributeChangedCallback(): void {
    this.#show();
  }

  #make(): HTMLIFrameElement {
    const frame = document.createElement('iframe');
    frame.title = this.getAttribute('title') ?? 'Terrarium lab';
    frame.loading = 'lazy';
    frame.allow = 'cross-origin-isolated; clipboard-write';
    frame.style.cssText = 'width: 100%; border: 1px solid #8886; border-radius: 8px';
    this.style.display = 'block';
    this.append(frame);
    return frame;
  }

  #show(): void {
    if (this.#frame === undefined) return;
    const height = Number(this.getAttribute('height') ?? 480);
    this.#frame.height = String(Number.isFinite(height) ? Math.min(Math.max(height, 120), 4000) : 480);
    const { hash } = new URL(this.getAttribute('src') ?? '', home);
    const wanted = new URL(`index.html${hash}`, home).href;
    if (this.#frame.src !== wanted) this.#frame.src = wanted;
  }
}

customElements.define('terrarium-lab', TerrariumLab);
