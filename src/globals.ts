/**
 * What this package's declarations name of the environment, for programs that are compiled without the DOM's types or with an older
 * `lib`: where these have the same, the two are merged.
 *
 * @module
 */
/// <reference lib="esnext.disposable" preserve="true" />

declare global {
  // A name alone: whoever has the DOM's types or Node's own has its members too.
  namespace WebAssembly {
    interface Memory {}
    interface Module {}
    interface Table {}
  }
}

export {};
