// The headers of a signed webhook by Standard Webhooks (standardwebhooks.com, 1.0): receivers verify it with existing libraries.
import { createHmac } from 'node:crypto';

export interface SignedMessage {
  /** The same at each attempt. */
  readonly id: string;
  readonly atMs: number;
  readonly body: string;
}

export function signatureHeaders(secret: string, { id, atMs, body }: SignedMessage): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000));
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

/** `whsec_` and base64, as the specification writes secrets. Any other text is the key itself. */
function keyOf(secret: string): Buffer {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  return encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, 'base64');
}
