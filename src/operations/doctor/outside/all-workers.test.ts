import { describe, expect, it } from 'vitest';
import { allWorkers } from './all-workers.ts';
import { AT_MS, answer, answering, PAGE, REFUSED } from './answers.fixture.ts';
import type { Probe, ProbeRequest } from './http-probe.ts';

const TLS = { ca: [], allowPartialTrustChain: false, checkServerIdentity: () => undefined };
const at = (url: string, by: Probe | ((request: ProbeRequest) => Probe)) => ({ url, authorization: 'Basic Z3c6c2VjcmV0', tls: TLS, probe: answering(by) });

interface Asked {
  readonly limit: number;
  readonly offset?: number;
  readonly workers?: { readonly status: { readonly any_: readonly string[] } };
}

const fleet = Array.from({ length: 300 }, (_none, index) => ({
  ...{ id: `id-${index}`, name: `w-${index}`, status: 'ONLINE', last_heartbeat_time: new Date(AT_MS - index).toISOString() },
}));

/** Prefect with a pool of these workers; no page is longer than 200. */
function prefect(workers: () => readonly object[], headers: Readonly<Record<string, string>> = {}) {
  return at('http://prefect:4200', ({ url, body }) => {
    const { limit, offset = 0, workers: filter }: Asked = JSON.parse(body ?? '{}');
    if (limit > 200) return answer(422, {});
    if (url.endsWith('/api/work_pools/filter')) return answer(200, offset === 0 ? [{ id: 'p', name: 'a pool', type: 'docker' }] : []);
    expect(url).toBe('http://prefect:4200/api/work_pools/a%20pool/workers/filter');
    const status = filter?.status.any_[0];
    const asked = status === 'ONLINE' ? workers() : [{ id: 'gone', name: 'gone', status: 'OFFLINE', last_heartbeat_time: null }];
    return answer(200, asked.slice(offset, offset + limit), headers);
  });
}

const namesOf = (found: Awaited<ReturnType<typeof allWorkers>>) => (found.ok ? found.online.map(({ name }) => name) : found.why);

describe('the workers that Prefect knows', () => {
  it('are read page by page, each once', async () => {
    const found = await allWorkers([prefect(() => fleet)], 'online');
    expect(new Set(namesOf(found))).toEqual(new Set(fleet.map(({ name }) => name)));
    expect(found).toMatchObject({ offline: [] });
  });

  it('are complete even if a worker moves to the first page while the second is read', async () => {
    let reads = 0;
    const moving = () => {
      reads += 1;
      return reads === 1 ? fleet : [...fleet.slice(250, 251), ...fleet.slice(0, 250), ...fleet.slice(251)];
    };
    const found = await allWorkers([prefect(moving)], 'online');
    expect(new Set(namesOf(found)).size).toBe(300);
  });

  it('have their last heartbeat by the clock of this machine', async () => {
    const ahead = { date: new Date(AT_MS + 60_000).toUTCString() };
    const found = await allWorkers([prefect(() => fleet.slice(0, 1), ahead)], 'all');
    expect(found).toMatchObject({ online: [{ name: 'w-0', type: 'docker', beatMs: AT_MS - 60_500 }], offline: [{ name: 'gone', beatMs: null }] });
  });

  it('that are offline since a moment are listed as offline', async () => {
    const late = { ...fleet[0], status: 'OFFLINE' };
    expect(await allWorkers([prefect(() => [late])], 'online')).toMatchObject({ online: [], offline: [{ name: 'w-0' }] });
  });
});

describe('a Prefect that does not answer', () => {
  it.each([
    ['is away', REFUSED, 'Prefect at http://prefect:4200 cannot be reached: ECONNREFUSED'],
    ['rejects the credential', answer(401, {}), "Prefect at http://prefect:4200 rejects the gateway's credential (401)"],
    ['is another program', PAGE, 'http://prefect:4200/api/work_pools/filter answers 200 with a page and no list'],
    ['fails', answer(500, {}), 'http://prefect:4200/api/work_pools/filter answers 500 and no list'],
  ])('%s', async (_what, probe, why) => expect(await allWorkers([at('http://prefect:4200', probe)], 'online')).toEqual({ ok: false, why }));

  it('is asked again while its database is locked, and not for ever', async () => {
    let busy = 2;
    const whole = prefect(() => fleet.slice(0, 1));
    const probe = async (request: ProbeRequest) => (busy-- > 0 ? answer(503, {}) : whole.probe(request));
    expect(await allWorkers([{ ...whole, probe }], 'online')).toMatchObject({ ok: true, online: [{ name: 'w-0' }] });
    busy = 100;
    expect(await allWorkers([{ ...whole, probe }], 'online')).toMatchObject({ ok: false, why: expect.stringContaining('answers 503') });
  });

  it('is no problem where another server answers', async () => {
    expect(await allWorkers([at('http://away:4200', REFUSED), prefect(() => fleet.slice(0, 1))], 'online')).toMatchObject({ ok: true });
  });
});
