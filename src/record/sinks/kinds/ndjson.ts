// NDJSON over HTTP, one record a line.
import type { LedgerExport } from '../../../config/config.ts';
import { createPost } from '../post.ts';
import type { Sink } from '../sink.ts';

export function createNdjsonPost(config: LedgerExport): Sink {
  const post = createPost(config);
  return {
    async deliver(batch, signal) {
      await post.send(batch.map(({ json }) => `${json}\n`).join(''), { 'content-type': 'application/x-ndjson' }, signal);
      return { rejected: 0 };
    },
    close: post.close,
  };
}
