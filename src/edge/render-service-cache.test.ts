import { describe, expect, it } from 'vitest';
import { bareService } from '../config/service.fixture.ts';
import type { KeptAnswers, Service } from '../config/service.ts';
import { renderKept, renderKeptLocations } from './render-service-cache.ts';

const RULE: KeptAnswers = { patterns: ['/v1/*'], ttlSeconds: 60, shared: false, staleSeconds: 0, mostBytes: 10_000_000 };
const SERVER = { origin: 'http://10.0.0.1', weight: 1, backup: false };

function location(rule: Partial<KeptAnswers> = {}, more: Partial<Service> = {}): string {
  return renderKeptLocations(bareService('a-b', [], { servers: [SERVER], cache: [{ ...RULE, ...rule }], ...more }), { forwardHeaders: [] }, '');
}

const PLACE = { paths: { root: '/t' }, tempDir: '/t/tmp' };
const keyOf = (text: string): string => /proxy_cache_key "(.*)";/.exec(text)?.[1] ?? '';

describe('where answers are kept', () => {
  it('is nowhere for a service that has no rule', () => {
    const plain = bareService('plain', []);
    expect([renderKept({ config: { services: [plain] }, ...PLACE }), renderKeptLocations(plain, { forwardHeaders: [] }, '')]).toEqual(['', '']);
    const kept = renderKept({ config: { services: [plain, bareService('a-b', [], { cache: [RULE] })] }, ...PLACE });
    expect(kept).toContain('proxy_cache_path "/t/tmp/kept-a-b" levels=1 keys_zone=lictor_kept_a_b:2m ');
    expect(kept).not.toContain('plain');
  });

  it('is small where it is in memory', () => {
    const config = { services: [bareService('a', [], { cache: [RULE] })] };
    expect(renderKept({ config, ...PLACE })).toContain(' max_size=128m ');
    expect(renderKept({ config, paths: { root: '/srv/lictor/t' }, tempDir: '/dev/shm/tmp' })).toContain(' max_size=16m ');
  });

  it("has the principal in the key, unless it is declared everybody's; then nothing of the caller goes to the service", () => {
    const [own, shared] = [location(), location({ shared: true })];
    expect([keyOf(own).includes('$lictor_limit'), keyOf(shared).includes('$lictor_limit')]).toEqual([true, false]);
    expect([own.includes('include service-caller.conf;'), shared.includes('include service-caller.conf;')]).toEqual([true, false]);
  });

  it('has every further header that the service gets in the key, but the one with its credential', () => {
    const injected = { header: 'X-Key', value: 'v' };
    expect(keyOf(location({}, { forwardHeaders: ['x-tenant', 'x-key'], injected }))).toMatch(/\\n\$http_x_tenant\\n\$lictor_service_target$/);
    expect(keyOf(location())).not.toContain('x_tenant');
  });

  it.each<[string, Partial<KeptAnswers>, Partial<Service>]>([
    ['time', { ttlSeconds: 61 }, {}],
    ['time of the service', { ttlSeconds: null }, {}],
    ['bound', { staleSeconds: 60 }, {}],
    ['server', {}, { servers: [{ ...SERVER, origin: 'http://10.0.0.2' }] }],
    ['path', {}, { path: '/api' }],
  ])('begins anew with another %s', (_what, rule, more) => {
    expect(keyOf(location(rule, more))).not.toBe(keyOf(location()));
    expect(keyOf(location(rule, more))).toBe(keyOf(location(rule, more)));
  });

  it('stands in for a service that fails only where that is wished', () => {
    expect(location()).toContain('proxy_cache_use_stale updating;');
    expect(location({ staleSeconds: 60 })).toContain('proxy_cache_use_stale updating error timeout http_500 http_502 http_503 http_504;');
  });
});
