// The small sections: trusted_proxies, sessions, forward_headers and ledger without its sinks.
import { isIP } from 'node:net';
import { z } from 'zod';
import { type Complaint, checkedBy, ONLY_IF_SOUND, reject, says } from '../schema/issues.ts';
import { headerName, seconds, text } from '../schema/scalars.ts';
import type { Context } from './context.ts';

export function trustedProxiesSection({ tlsEndsInFront }: Pick<Context, 'tlsEndsInFront'>) {
  return z
    .array(text.superRefine(checkedBy(networkComplaint)).toLowerCase())
    .optional()
    .transform((networks, issues) => {
      if (networks !== undefined || !tlsEndsInFront) return networks ?? [];
      const remedy = 'Name the addresses of the proxy in front: trusted_proxies: [10.0.0.0/8].';
      return reject(issues, { message: 'is missing beside tls_terminated_upstream', remedy });
    })
    .describe('Addresses and networks whose X-Forwarded-For names the client: [10.0.0.0/8]. Default: none.');
}

/** An address or a network, as nginx's set_real_ip_from takes it. */
function networkComplaint(written: string): Complaint | undefined {
  const [address = '', prefix, ...more] = written.split('/');
  const family = isIP(address);
  const longest = family === 6 ? 128 : 32;
  const length = prefix === undefined ? longest : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (family === 0 || more.length > 0 || length < 0 || length > longest)
    return { message: 'must be an address or a network', remedy: 'Write it as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.' };
  if (length > 0) return undefined;
  return { message: 'trusts every client to name its own address', remedy: 'Name the addresses of the proxy in front alone.' };
}

const life = seconds.refine((value) => value >= 1, says('is shorter than a second', 'Write 8h, for example.'));

export const sessionsSection = z
  .strictObject({
    idle: life.prefault('8h').describe('A browser session ends after so long without use.'),
    absolute: life.prefault('24h').describe('And after so long in any case.'),
    cli: life.prefault('30d').describe('A login of the command line (`lictor login`) or of an OAuth client ends after so long in any case.'),
  })
  .refine(({ idle, absolute }) => absolute >= idle, {
    ...says('is shorter than sessions.idle', 'Make it at least as long as idle.'),
    ...ONLY_IF_SOUND,
    path: ['absolute'],
  })
  .describe('How long a browser session lives without use, and at most; and a login of the command line or of an OAuth client.');

/** The gateway sets or clears these itself, or they belong to one hop (RFC 9110 7.6.1). */
const OWN_HEADERS =
  /^(?:x-lictor-.*|x-forwarded-.*|forwarded|x-real-ip|x-request-id|prefect-automation-.*|x-original-.*|x-rewrite-.*|x-http-method.*|x-accel-.*)$/;
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** In lower case: no client's, and no configuration's to set. */
export function isGatewaysOwn(header: string): boolean {
  return OWN_HEADERS.test(header) || HOP_HEADERS.has(header);
}

/** Lower case, each once, without the gateway's own and hop-by-hop headers. */
export const forwardHeaders = z
  .array(headerName.toLowerCase().superRefine(checkedBy((name) => (isGatewaysOwn(name) ? ownHeaderComplaint(name) : undefined))))
  .transform((names): readonly string[] => [...new Set(names)]);

function ownHeaderComplaint(name: string): Complaint {
  return { message: `${name} is set by the gateway and never passed on`, remedy: 'Remove it.' };
}

export const ledgerKeys = {
  fail_closed: z.boolean().default(true).describe('Refuse changes while the ledger cannot be written.'),
  retention: seconds.optional().describe('How long records are stored: 400d. Default: for ever. What was signed about them stays.'),
};
