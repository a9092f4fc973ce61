import { type CryptoKey, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, jwtVerify } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { bareEntity } from '../../contract/entity.ts';
import type { Principal } from '../../contract/principal.ts';
import { type AboutCall, type Assert, createAssertions } from './assertion.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const ISSUER = 'https://prefect.example.com/prefect';
const principal: Principal = {
  ...{ id: `run:${RUN}`, kind: 'run', idp: null, roles: ['run'], grants: [], groups: [] },
  attributes: { flow_run_id: RUN, deployment: 'd-1', pool: 'p' },
  onBehalfOf: ['token:boss', 'alice@local'],
};
const run = bareEntity('FlowRun', { id: RUN, tags: ['team-a'], flow: 'etl', deployment: 'etl/prod', workPool: 'p' });
const about: AboutCall = { service: 'billing', principal, run };

let keys: { current: () => Promise<{ kid: string; key: CryptoKey }> };
let publicKey: CryptoKey;
let signed = 0;
let nowMs = 1_800_000_000_000;
let assert: Assert;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  publicKey = pair.publicKey;
  keys = {
    async current() {
      signed += 1;
      return { kid: 'k1', key: pair.privateKey };
    },
  };
  assert = createAssertions(keys, ISSUER, () => nowMs);
});

describe('an assertion', () => {
  it('names the principal, the service, the kind, and who started the run', async () => {
    const text = await assert(about);
    expect(decodeProtectedHeader(text)).toEqual({ alg: 'ES256', kid: 'k1', typ: 'lictor-assertion+jwt' });
    const key = await importJWK(await exportJWK(publicKey), 'ES256');
    const { payload } = await jwtVerify(text, key, { issuer: ISSUER, audience: 'billing', currentDate: new Date(nowMs) });
    expect(payload).toEqual({
      ...{ iss: ISSUER, aud: 'billing', sub: `run:${RUN}`, principal_kind: 'run', iat: nowMs / 1000, exp: nowMs / 1000 + 120 },
      ...{ run: RUN, deployment: 'etl/prod', deployment_id: 'd-1', flow: 'etl', tags: ['team-a'] },
      act: { sub: 'token:boss', act: { sub: 'alice@local' } },
    });
  });

  it('contains no run if there is none, whatever attributes the principal has', async () => {
    const text = await assert({ service: 'billing', principal: { ...principal, id: 'x@ci', kind: 'service', onBehalfOf: [] }, run: null });
    expect(Object.keys(decodeJwt(text)).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'principal_kind', 'sub']);
  });

  it('is signed once for the same call within some seconds, and is valid much longer than a decision', async () => {
    const before = signed;
    const text = await assert(about);
    expect([await assert(about), signed]).toEqual([text, before]);
    expect(await assert({ ...about, service: 'vault' })).not.toBe(text);
    expect(await assert({ ...about, run: { ...run, tags: ['team-b'] } })).not.toBe(text);
    nowMs += 5_000;
    const later = decodeJwt(await assert(about));
    expect((later.exp ?? 0) - nowMs / 1000).toBe(120);
  });

  it('is a new one after the clock was put back: none is issued in the future', async () => {
    const former = decodeJwt(await assert(about));
    for (const ms of [-1_000, -3_600_000, 1_800_000]) {
      nowMs += ms;
      const { iat = 0, exp = 0 } = decodeJwt(await assert(about));
      expect(iat).toBeLessThanOrEqual(nowMs / 1000);
      expect(exp - iat).toBe(120);
      expect(iat).not.toBe(former.iat);
    }
  });

  it('leaves out tags that do not fit into a header', async () => {
    const text = await assert({ ...about, run: { ...run, tags: Array.from({ length: 300 }, (_, place) => `tag-${place}`) } });
    expect(decodeJwt(text)).toMatchObject({ tags_omitted: true });
    expect(decodeJwt(text)['tags']).toBeUndefined();
  });

  it('is tried again after a failure to load the key', async () => {
    let fails = true;
    const failing = createAssertions({ current: () => (fails ? Promise.reject(new Error('no key')) : keys.current()) }, ISSUER, () => nowMs);
    await expect(failing(about)).rejects.toThrow('no key');
    fails = false;
    await expect(failing(about)).resolves.toMatch(/^eyJ/);
  });
});
