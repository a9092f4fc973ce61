// research row DS-01: what a client without a credential can make the gateway do, and how often.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rawRequest } from '../../env/raw-request.ts';
import { expectNothingUpstream, useHarness } from './harness.ts';

const harness = useHarness();

/** Of the gateway's own pages, for one address (nginx/http.conf, locations.conf). */
const BURST = 200;
const PER_SECOND = 50;

async function askAsBrowser(_none: unknown, index: number): Promise<number | undefined> {
  const { port } = harness.gateway;
  const lines = [`GET /flows/${index} HTTP/1.1`, `Host: localhost:${port}`, 'Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Connection: close'];
  const { statuses } = await rawRequest(port, `${lines.join('\r\n')}\r\n\r\n`, 60_000);
  return statuses[0];
}

it('DS-01: navigations that lead to the login page are as few per address as the login page itself: each is written down', async () => {
  const startedMs = performance.now();
  const statuses: (number | undefined)[] = [];
  // Of one round of a machine that is hardly quicker than the limit all may be let through.
  for (let round = 0; round < 5 && !statuses.includes(429); round += 1) {
    statuses.push(...(await Promise.all(Array.from({ length: 3 * BURST }, askAsBrowser))));
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const led = statuses.filter((status) => status === 302).length;
  expect(led).toBeGreaterThan(0);
  expect(led).toBeLessThanOrEqual(BURST + PER_SECOND * seconds + 1);
  expect([...new Set(statuses)].filter((status) => status !== 503).sort()).toEqual([302, 429]);
  // On a machine under load a decision may come too late. Nothing else is a 503.
  const errors = readFileSync(join(harness.gateway.stateDir, 'log', 'edge-error.log'), 'latin1').split('\n');
  const late = errors.filter((line) => line.includes('upstream timed out') && line.includes('subrequest: "/.lictor-decision"'));
  expect(statuses.filter((status) => status === 503)).toHaveLength(late.length);
  expectNothingUpstream(harness);
});
it('DS-01: a client with a credential is served meanwhile', async () => {
  const response = await harness.gateway.fetch('/api/flows/00000000-0000-4000-8000-000000000001', { token: harness.viewer });
  expect(response.status).toBe(200);
});
