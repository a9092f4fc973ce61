// A signed POST of a JSON array by Standard Webhooks (standardwebhooks.com, 1.0): receivers verify it with existing libraries.
import { createHmac } from 'node:crypto';
import type { LedgerExport } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import { createPost } from '../post.ts';
import type { Item, Sink } from '../sink.ts';

/** The same records have the same `webhook-id` at each attempt. */
export function createWebhook(config: LedgerExport, clock: Clock): Sink {
  const post = createPost(config);
  const key = keyOf(config.secret ?? '');
  return {
    async deliver(batch, signal) {
      const body = `[${batch.map(({ json }) => json).join(',')}]`;
      const id = idOf(batch);
      const timestamp = String(Math.floor(clock() / 1000));
      const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
      await post.send(
        body,
        { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` },
        signal,
      );
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

/** `whsec_` and base64, as the specification writes secrets. Any other text is the key itself. */
function keyOf(secret: string): Buffer {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  return encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, 'base64');
}
