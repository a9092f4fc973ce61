// The IdP's metadata over time: read again from time to time, cached in an outage, and never used after its validUntil.
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { OutboundError } from '../outbound.ts';
import { ENTITY, metadataText, NOW_MS, newKey, type SigningKey } from './idp.fixture.ts';
import { createMetadataSource } from './metadata-source.ts';

const HOUR_MS = 3_600_000;
let key: SigningKey;
let nowMs: number;
let putMs: number;
let published: string | undefined;
let asked: number;
beforeAll(async () => {
  key = await newKey();
});
beforeEach(() => {
  nowMs = NOW_MS;
  putMs = 0;
  published = undefined;
  asked = 0;
});

function source() {
  const fetch = async (): Promise<Response> => {
    asked += 1;
    if (published === undefined) throw new OutboundError('idp.example gave no answer: ECONNREFUSED');
    return new Response(published);
  };
  return createMetadataSource({
    config: { metadata: { url: 'https://idp.example/metadata' } },
    outbound: { fetch },
    clock: () => nowMs + putMs,
    steady: () => nowMs,
  });
}

const validFor = (ms: number): string => metadataText({ keys: [key] }).replace('entityID', `validUntil="${new Date(nowMs + ms).toISOString()}" entityID`);

it('without validUntil it is used while the IdP does not answer', async () => {
  published = metadataText({ keys: [key] });
  const { current } = source();
  await current();
  published = undefined;
  nowMs += 1000 * HOUR_MS;
  expect(await current()).toMatchObject({ entityId: ENTITY });
});

it('ends at its validUntil, also in an outage, and newer metadata is accepted again', async () => {
  published = validFor(HOUR_MS);
  const { current } = source();
  await current();
  published = undefined;
  nowMs += HOUR_MS - 1;
  expect(await current()).toMatchObject({ entityId: ENTITY });
  nowMs += 1;
  await expect(current()).rejects.toThrow('gave no answer');
  const before = asked;
  await expect(current()).rejects.toThrow('gave no answer');
  expect(asked).toBe(before);
  nowMs += 5000;
  published = validFor(HOUR_MS);
  expect(await current()).toMatchObject({ entityId: ENTITY });
});

it('that is still published after its validUntil is not valid', async () => {
  published = validFor(HOUR_MS);
  const { current } = source();
  await current();
  nowMs += HOUR_MS;
  await expect(current()).rejects.toThrow('no longer valid');
});

it.each([-HOUR_MS, HOUR_MS])('is read again after ten minutes, and not before, if the clock steps by %i ms', async (ms) => {
  published = metadataText({ keys: [key] });
  const { current } = source();
  await current();
  putMs = ms;
  nowMs += 600_000;
  await current();
  expect(asked).toBe(1);
  nowMs += 1;
  await current();
  expect(asked).toBe(2);
});

it.each([-HOUR_MS, HOUR_MS])('is requested again five seconds after a failure, and not before, if the clock steps by %i ms', async (ms) => {
  const { current } = source();
  await expect(current()).rejects.toThrow('gave no answer');
  putMs = ms;
  published = metadataText({ keys: [key] });
  nowMs += 4999;
  await expect(current()).rejects.toThrow('gave no answer');
  nowMs += 1;
  expect(await current()).toMatchObject({ entityId: ENTITY });
});
