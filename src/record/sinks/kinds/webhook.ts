// A signed POST of a JSON array.
import type { LedgerExport } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import { createPost } from '../post.ts';
import type { Item, Sink } from '../sink.ts';
import { signatureHeaders } from '../webhook-signature.ts';

/** The same records have the same `webhook-id` at each attempt. */
export function createWebhook(config: LedgerExport, clock: Clock): Sink {
  const post = createPost(config);
  return {
    async deliver(batch, signal) {
      const body = `[${batch.map(({ json }) => json).join(',')}]`;
      const signed = signatureHeaders(config.secret ?? '', { id: idOf(batch), atMs: clock(), body });
      await post.send(body, { 'content-type': 'application/json', ...signed }, signal);
      return { rejected: 0 };
    },
    close: post.close,
  };
}

function idOf(batch: readonly Item[]): string {
  return `${uidOf(batch[0])}_${uidOf(batch.at(-1))}`;
}

function uidOf(item: Item | undefined): string {
  return item?.event?.id ?? item?.record.id ?? '';
}
