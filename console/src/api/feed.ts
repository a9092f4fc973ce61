// Live data: server-sent events from a cursor on. After each break the feed continues behind the last event.
import { LICTOR } from '../app/base.ts';
import { waitMs } from './problem.ts';

export interface FeedOptions {
  /** Below the API, with its query: `/stream?q=...`. */
  readonly path: string;
  /** Events behind it are wanted. Null: from now on. */
  readonly cursor: string | null;
  /** The name of the events. */
  readonly event: string;
  /** The data of one event, parsed from JSON, and its cursor. */
  readonly onEvent: (data: unknown, cursor: string) => void;
  readonly onState: (state: FeedState) => void;
}

/** `waiting`: the connection is lost, and the next attempt follows by itself. */
export type FeedState = 'connecting' | 'live' | 'waiting';

/** Answers the function that closes the feed. */
export function openFeed(options: FeedOptions): () => void {
  let { cursor } = options;
  let failures = 0;
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const connect = (): void => {
    options.onState(failures === 0 ? 'connecting' : 'waiting');
    source = new EventSource(address(options.path, cursor));
    source.onopen = () => {
      failures = 0;
      options.onState('live');
    };
    source.addEventListener(options.event, ({ data, lastEventId }: MessageEvent<string>) => {
      if (lastEventId !== '') cursor = lastEventId;
      options.onEvent(JSON.parse(data), lastEventId);
    });
    // The browser itself does not try again after an answer such as 503.
    source.onerror = () => {
      source?.close();
      options.onState('waiting');
      timer = setTimeout(connect, waitMs(failures, undefined));
      failures += 1;
    };
  };
  connect();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

function address(path: string, cursor: string | null): string {
  const url = new URL(`${LICTOR}/api/v1${path}`, location.origin);
  if (cursor !== null) url.searchParams.set('after', cursor);
  return url.href;
}
