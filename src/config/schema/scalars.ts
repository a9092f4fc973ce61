// The small values that many keys share. Each has a strict alphabet: most of them reach nginx's configuration.
import { z } from 'zod';
import { DURATION_HINT, parseDurationSeconds } from '../duration.ts';
import { says } from './issues.ts';

/** Any text without control characters; zod's own message names the path. */
export const text = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');

/** A secret: the file may only name an environment variable. `writeOnly` marks its places in the JSON Schema. */
export const secretText = text.meta({ writeOnly: true });

export const filePath = text.describe('Path of a file; relative to the configuration file.');

export const duration = z
  .string(DURATION_HINT)
  .regex(/^[1-9][0-9]{0,9}(ms|s|m|h|d)$/, DURATION_HINT)
  .refine((value) => parseDurationSeconds(value) !== undefined, 'must be at most ten years (3650d)')
  .describe('500ms, 30s, 15m, 24h or 90d.');

/** The same as a number. */
export const seconds = duration.transform((value) => parseDurationSeconds(value) ?? 0);

/** A timer of Node holds 2^31 - 1 milliseconds, a little less than 25 days. With more it fires at once. */
export const timerSeconds = seconds.refine((value) => value <= 24 * 86_400, says('is longer than 24 days', 'Write at most 24d.'));

/** A number without a unit gets the same remedy as a text in the wrong form. */
const RATE_HINT = 'Write requests per second: 50/s, at most 999999/s.';

export const rate = z
  .string(RATE_HINT)
  .regex(/^[1-9][0-9]{0,5}\/s$/, RATE_HINT)
  .describe('Requests per second: 50/s.');

const BYTES: Readonly<Record<string, number>> = { kB: 1_000, MB: 1_000_000, GB: 1_000_000_000 };

/** `10MB`, also with `/s` or `/h`: then it is a number per second or hour. The schema of its key checks the form. */
export function parseBytes(written: string): number {
  return Number.parseInt(written, 10) * (BYTES[written.replace(/^[0-9]+|\/[sh]$/g, '')] ?? 1);
}

export const count = z.int().min(1).max(1_000_000);

/** Ids of identity providers, names of services: they stand in URLs and in principals' ids. */
export const slug = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be small letters, digits and inner hyphens, at most 63');

export const headerName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?$/, 'must be a header name of letters, digits and inner hyphens, at most 64');

/** Absolute, http or https. Its section checks the rest. */
export const httpUrl = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[A-Za-z0-9._~:/?#[\]@!&'()*+,;=%-]+$/, 'must be an http:// or https:// URL without spaces or quotes');

/** HOST:PORT with a name, an IPv4 address or an IPv6 address in brackets. */
export const hostPort = z
  .string()
  .regex(/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]):[1-9][0-9]{0,4}$/, 'must be HOST:PORT, e.g. 0.0.0.0:8443 or [::1]:8443');

/** `unix:` and a path. */
export const unixSocket = z.string().regex(/^unix:\P{Cc}{1,100}$/u, 'must be HOST:PORT, or unix: and a path of at most 100 characters');

export const strings = z.array(text);
