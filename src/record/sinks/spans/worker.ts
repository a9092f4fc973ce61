// The thread that makes spans from the access log and sends them. Traces are no evidence: it drops what it cannot send in time.
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { Traces } from '../../../config/config.ts';
import { LictorError } from '../../../contract/error.ts';
import { createCatalogue } from '../../../prefect/catalog/catalogue.ts';
import { openTail, type TailPosition } from '../../ledger/tail.ts';
import { RESOURCE, signalUrl } from '../kinds/otlp-json.ts';
import { createPost } from '../post.ts';
import { failureWords } from '../sink.ts';
import { spansOf } from './span.ts';
import type { SpanStatus } from './tracing.ts';

export interface TracingSetup {
  readonly accessLog: string;
  /** Where reading starts. Null: at the start of the log. */
  readonly begin: TailPosition | null;
  readonly basePath: string;
  readonly traces: Traces;
}

const LOOK_MS = 500;
const MOST_LINES = 500;
const TRIES = 3;

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'Spans are made by a worker thread only.');
const { accessLog, begin, basePath, traces } = workerData as TracingSetup;
const stop = new AbortController();
port.on('message', () => stop.abort());
const post = createPost({ ...traces, url: signalUrl(traces.url, '/v1/traces') });
const setting = { routes: createCatalogue(), basePath, share: traces.share };
// A buffer crosses the thread boundary as plain bytes.
const tail = openTail(accessLog, begin === null ? null : { ...begin, head: Buffer.from(begin.head) });
let status: SpanStatus = { sent: 0, dropped: 0, problem: null };
while (!stop.signal.aborted) {
  const chunk = tail.read(MOST_LINES);
  if (chunk !== undefined) {
    await send(chunk.lines.flatMap(({ bytes }) => spansOf(bytes, setting)));
    tail.advance(chunk.next);
  } else await rest(LOOK_MS);
}
tail.close();
await post.close();
port.close();

async function send(spans: readonly object[]): Promise<void> {
  if (spans.length === 0) return;
  const body = JSON.stringify({ resourceSpans: [{ resource: RESOURCE, scopeSpans: [{ scope: { name: 'lictor' }, spans }] }] });
  for (let left = TRIES; left > 0 && !stop.signal.aborted; left -= 1) {
    const problem = await post
      .send(body, { 'content-type': 'application/json' }, AbortSignal.any([stop.signal, AbortSignal.timeout(traces.timeoutMs)]))
      .then(() => null, failureWords);
    status = {
      sent: status.sent + (problem === null ? spans.length : 0),
      dropped: status.dropped + (problem !== null && left === 1 ? spans.length : 0),
      problem,
    };
    port?.postMessage(status);
    if (problem === null) return;
    await rest(LOOK_MS);
  }
}

async function rest(ms: number): Promise<void> {
  await pause(ms, undefined, { signal: stop.signal }).catch(() => undefined);
}
