// The forward proxy with a real run, httpx and HTTPS_PROXY, in a separate network (forward-proxy/scenario.ts has the steps).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lastJson } from '../env/gateway.ts';
import { runInOwnInternet } from '../env/own-internet.ts';

const POLICY = `@id("team-a-goes-out")
permit (principal in Role::"run", action == Action::"services.connect", resource)
when { principal has tags && principal.tags.contains("team-a") };
`;
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-internet-'));
let seen: Record<string, unknown>;
beforeAll(async () => {
  mkdirSync(join(directory, 'policies'));
  writeFileSync(join(directory, 'policies', 'out.cedar'), POLICY);
  const program = resolve(import.meta.dirname, 'forward-proxy/scenario.ts');
  const finished = await runInOwnInternet({ directory, program, env: process.env, timeoutMs: 420_000 });
  // The scenario fails if its gateway has stored a secret.
  if (finished.code !== 0) throw new Error(finished.output.slice(-4_000));
  seen = lastJson(finished.output);
}, 440_000);
afterAll(() => rmSync(directory, { recursive: true }));

const records = (of: 'ours' | 'theirs'): readonly Record<string, unknown>[] => {
  const list = seen[of];
  return Array.isArray(list) ? list : [];
};

describe('a run that knows HTTPS_PROXY', () => {
  it('reaches listed hosts by https and http with httpx; nothing of its credential arrives', () => {
    expect(seen['asOurs']).toMatchObject({
      'https://api.example.com/v1?x=1': '200 api.example.com /v1?x=1 no credential',
      'http://a.pypi.example/simple': '200 a.pypi.example /simple no credential',
    });
  });

  it('reaches no other host, no address, and no name that leads inside', () => {
    expect(seen['asOurs']).toMatchObject({
      'https://other.test/': expect.stringContaining('403'),
      'https://169.254.169.254/': expect.stringContaining('403'),
      'http://2852039166/': expect.stringMatching(/^403 .*host-literal/),
      'https://inside.pypi.example/': expect.stringContaining('403'),
    });
  });

  it('is refused where its tag is another', () => {
    expect(seen['asTheirs']).toEqual({ 'https://api.example.com/v1?x=1': expect.stringContaining('403') });
    expect(records('theirs')).toMatchObject([{ decision: 'deny', reason: 'policy-default-deny', run_binding: 'verified', status: 403 }]);
  });

  it('is not led elsewhere by a name with another address: the open tunnel stays, a new one is refused', () => {
    expect(seen['rebound']).toEqual({ 'https://api.example.com/v1?x=1': expect.stringContaining('403') });
    expect(seen['openMeanwhile']).toBe(true);
  });

  it('has each connection on its timeline, verified', () => {
    const told = records('ours').map(({ resource_id, decision, reason }) => [resource_id, decision, reason]);
    expect(told).toEqual(
      expect.arrayContaining([
        ['api.example.com', 'allow', 'policy-permits'],
        ['a.pypi.example', 'allow', 'policy-permits'],
        ['other.test', 'deny', 'host-unlisted'],
        ['169.254.169.254', 'deny', 'host-literal'],
        ['2852039166', 'deny', 'host-literal'],
        ['inside.pypi.example', 'deny', 'host-private'],
        ['api.example.com', 'deny', 'host-private'],
        ['api.example.com', 'deny', 'host-unlisted'],
      ]),
    );
    for (const record of records('ours')) expect(record).toMatchObject({ path_taken: 'egress', run_binding: 'verified', resource_type: 'Host' });
    const [allowed] = records('ours').filter(({ decision, method }) => decision === 'allow' && method === 'GET');
    expect(allowed).toMatchObject({ status: 200, path: '/simple', bytes: expect.any(Number), duration_ms: expect.any(Number) });
    expect(seen['timeline']).toMatch(/169\.254\.169\.254 CONNECT +403 +verified +host-literal/);
    expect(seen['timeline']).toMatch(/a\.pypi\.example GET \/simple +200 +verified/);
  });

  it('loses a tunnel when a reload takes the host off the list', () => {
    expect(seen['reloaded']).toEqual({ 'https://api.example.com/': expect.stringContaining('403') });
  });

  it('loses its tunnels within two seconds when its token is revoked', () => {
    expect(Number(seen['closedAfterMs'])).toBeLessThan(2_000 + 6 * Number(seen['lateMs']) + Number(seen['waitedMs']));
  });

  it('needs nothing but HTTPS_PROXY in the environment of its deployment: a stock flow goes out as its run', () => {
    const {
      id,
      said,
      records: found,
      kept,
    } = z.object({ id: z.string(), said: z.string(), records: z.array(z.looseObject({})), kept: z.boolean() }).parse(seen['stock']);
    expect(said).toContain('https://api.example.com/v1?x=1 answered 200 api.example.com /v1?x=1 no credential');
    expect(said).toMatch(/https:\/\/other\.test\/ failed: .*403/);
    const told = found.map(({ resource_id, decision, reason, principal, run_binding, method }) => [
      resource_id,
      decision,
      reason,
      principal,
      run_binding,
      method,
    ]);
    expect(told).toEqual(
      expect.arrayContaining([
        ['api.example.com', 'allow', 'policy-permits', `run:${id}`, 'verified', 'CONNECT'],
        ['other.test', 'deny', 'host-unlisted', `run:${id}`, 'verified', 'CONNECT'],
      ]),
    );
    // What its author has written is what Prefect keeps.
    expect(kept).toBe(false);
  });

  it('is checked by doctor: it denies an address', () => {
    expect(seen['doctor']).toContain('"forward-proxy"');
    expect(seen['doctor']).toMatch(/the forward proxy at \S+ denies /);
  });
});
