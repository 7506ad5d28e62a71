/**
 * The parts of the environment that this package's declarations name, for programs that are compiled without the DOM's types or with an
 * older `lib`: where these have the same, the two are merged.
 *
 * @module
 */
/// <reference lib="esnext.disposable" preserve="true" />

declare global {
  // Only the name: programs with the DOM's types or Node's have its members too.
  namespace WebAssembly {
    interface Memory {}
    interface Module {}
    interface Table {}
  }
}

export {};
