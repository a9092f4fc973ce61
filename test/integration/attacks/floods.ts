// Floods that must fill nothing while others go on: short in the tests, long in endurance.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { expectNothingUpstream, type Harness } from './harness.ts';

/** An ordinary read. */
export const PATH = '/api/work_pools/p';

export async function floodWithGuesses(harness: Harness, count: number): Promise<void> {
  await inParallel(count, async (index) => {
    // Not as `token`: the search for stored secrets would look for each guess alone. It finds any text of this form.
    const authorization = `Bearer lct_${index.toString().padStart(68, '0')}`;
    const response = await harness.gateway.fetch(PATH, { headers: { authorization } });
    expect([401, 429]).toContain(response.status);
    await response.arrayBuffer();
  });
  expectNothingUpstream(harness);
  expect(cacheFiles(harness)).toBeLessThan(100);
  expect((await harness.gateway.fetch(PATH, { token: harness.viewer })).status).toBe(200);
}

/** One token with ever new user names and ever new objects, so that each request needs a separate decision. */
export async function floodWithKeys(harness: Harness, count: number): Promise<void> {
  await inParallel(count, async (index) => {
    const authorization = `Basic ${Buffer.from(`user-${index}:${harness.viewer}`).toString('base64')}`;
    const response = await harness.gateway.fetch(`/api/work_pools/pool-${index}`, { headers: { authorization } });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  });
  expect(cacheFiles(harness)).toBeLessThan(2_500);
  expect((await harness.gateway.fetch(PATH, { token: harness.operator })).status).toBe(200);
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: 16 }, lane));
}

function cacheFiles(harness: Harness): number {
  const cache = join(harness.gateway.stateDir, 'run', 'decisions');
  return readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(cache, name), { throwIfNoEntry: false })?.isFile() === true)
    .length;
}
