// services[].cache: which answers are stored, for how long, and who shares them.
import { z } from 'zod';
import { ONLY_IF_SOUND, reporter, says } from '../schema/issues.ts';
import { parseBytes, seconds } from '../schema/scalars.ts';
import type { CacheRule } from '../service.ts';
import { patterns } from './service-routes.ts';

const wholeSeconds = seconds.refine(Number.isInteger, says('is no whole number of seconds', 'Write it as 5s or 10m.'));

/** All answers on their way to the cache share 128 MiB. */
const LARGEST_BYTES = 64_000_000;
const DEFAULT_BYTES = 10_000_000;

const answerSize = z
  .string()
  .regex(/^[1-9][0-9]{0,5}(kB|MB)$/, 'Write bytes: 10MB.')
  .transform(parseBytes)
  .refine((bytes) => bytes <= LARGEST_BYTES, says('is more than the cache stores of one answer', 'Give at most 64MB.'));

const rule = z
  .strictObject({
    paths: patterns.describe('Of these paths, as in allow; the most specific pattern counts.'),
    ttl: z
      .union([wholeSeconds, z.literal('upstream').transform(() => null)])
      .describe('For so long: 60s. upstream: as long as its Cache-Control or Expires says.'),
    shared: z.boolean().default(false).describe('true: one answer for everybody. Default: each principal has its own.'),
    stale_if_error: wholeSeconds.optional().describe('And so long beyond, while the service is away or answers 500, 502, 503 or 504. Default: not at all.'),
    max_answer: answerSize.optional().describe('A larger answer is not stored: 10MB (kB, MB), which is the default; at most 64MB.'),
  })
  .transform((wire): CacheRule => {
    const { paths, ttl: ttlSeconds, shared, stale_if_error: staleSeconds = 0, max_answer: mostBytes = DEFAULT_BYTES } = wire;
    return { patterns: paths, ttlSeconds, shared, staleSeconds, mostBytes };
  });

export const cacheKey = z.array(rule).superRefine(checkRepeats, ONLY_IF_SOUND);

function checkRepeats(rules: readonly CacheRule[], issues: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { patterns: paths }] of rules.entries()) {
    for (const path of paths) {
      if (seen.has(path)) reporter(issues)([index, 'paths'], `names ${path}, which is named already`, 'Name each path once.');
      seen.add(path);
    }
  }
}
