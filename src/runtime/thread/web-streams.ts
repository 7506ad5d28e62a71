/**
 * A hosted machine's console and trace as Web streams, in addition to its sinks.
 *
 * @module
 */
import { TraceParser, type TraceRecord } from '../../trace/index.js';
import type { ChunkSink } from './hosted-streams.js';

/** How many bytes wait for a stream's reader before the guest must wait. */
const HELD_BYTES = 1024 * 1024;

/** A stream of a machine's output, from its sink's side. */
export class ChunkStream {
  readonly readable: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #goOn: (() => void) | undefined;
  #open = true;
  #flows = false;

  /** @param cancelled the reader has cancelled the stream */
  constructor(cancelled: () => void) {
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: HELD_BYTES });
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#release(),
        cancel: () => {
          this.#open = false;
          this.#release();
          cancelled();
        },
      },
      strategy,
    );
  }

  /** Receives a chunk; while the guest runs, a full stream delays the next one. */
  readonly sink: ChunkSink = (bytes) => {
    if (!this.#open) return undefined;
    this.#controller.enqueue(bytes);
    if (!this.#flows || (this.#controller.desiredSize ?? 0) > 0) return undefined;
    return new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
  };

  /** The guest runs, or has ended: then at most a ring's bytes are left, and they wait for no reader. */
  set flows(flows: boolean) {
    this.#flows = flows;
    if (!flows) this.#release();
  }

  /** The machine is gone: the reader gets what is left, and the stream's end. */
  close(): void {
    if (this.#open) this.#controller.close();
    this.#open = false;
    this.#release();
  }

  #release(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }
}

/** The streams of a machine: all flow while it runs. */
export class WebStreams {
  readonly #streams: ChunkStream[] = [];
  #flow = false;

  /** @param cancelled the reader has cancelled the stream */
  open(cancelled: () => void): ChunkStream {
    const stream = new ChunkStream(cancelled);
    stream.flows = this.#flow;
    this.#streams.push(stream);
    return stream;
  }

  /** See `ChunkStream.flows`. */
  set flow(flow: boolean) {
    this.#flow = flow;
    for (const stream of this.#streams) stream.flows = flow;
  }

  close(): void {
    for (const stream of this.#streams) stream.close();
  }
}

/** The exits of a trace in NDJSON, one after the other. */
export async function* exitsOf(trace: ReadableStream<Uint8Array>): AsyncGenerator<TraceRecord> {
  const parser = new TraceParser();
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of trace) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const record = parser.read(line);
      if (record !== undefined) yield record;
    }
  }
}
