import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { parseAccessLine, splitGluedLine } from './access-line.ts';
import { accessLine, FLOW_RUN, facts } from './lines.fixture.ts';

const routes = createCatalogue();
const DEPLOYMENT = '0199c0de-0000-7000-8000-0000000000dd';

function record(line: string | Buffer, basePath = '') {
  const parsed = parseAccessLine(Buffer.from(line), routes, basePath);
  if (!parsed.ok) throw new Error('the line was not readable');
  return parsed.record;
}

describe('a call of a service', () => {
  const call = (operation: string, more = {}) => {
    const parsed = parseAccessLine(Buffer.from(accessLine('r1', { operation, taken: 'egress', path: '/.lictor/svc/billing/v1/x', ...more })), routes);
    return parsed.ok ? parsed.record : undefined;
  };

  it('is bound to the run that calls, by its token alone', () => {
    const own = facts({ principal: `run:${FLOW_RUN}`, principal_kind: 'run', action: 'services.call' });
    expect(call('svc:billing:GET:/v1/*', { facts: own })).toMatchObject({
      ...{ path_taken: 'egress', service: 'billing', action: 'services.call', resource_type: 'ServiceRoute', resource_id: 'billing/v1/*' },
      ...{ flow_run_id: FLOW_RUN, run_binding: 'verified', status: 200, duration_ms: 250, decision: 'allow' },
    });
    expect(call('svc:billing:GET:/v1/*', { cache: 'hit' })?.cache).toBe('hit');
    for (const cache of ['', 'made up', 1]) expect(call('svc:billing:GET:/v1/*', { cache })?.cache).toBeNull();
    expect(call('svc:billing:GET:/v1/*', { x_prefect_flow_run_id: FLOW_RUN })).toMatchObject({ flow_run_id: FLOW_RUN, run_binding: 'asserted' });
  });

  it('by no route is one of the service as a whole', () => {
    const refused = { status: 403, code: 'service-route-unknown', facts: facts({ decision: 'deny', reason: 'service-route-unknown' }) };
    expect(call('svc:billing:GET:', refused)).toMatchObject({ service: 'billing', resource_type: 'Service', resource_id: 'billing', decision: 'deny' });
    expect(call('read_flow_run_flow_runs__id__get')?.service).toBeUndefined();
  });
});

describe('an access line', () => {
  it('becomes a record of who did what to what, begun when the request began', () => {
    expect(record(accessLine('r1'))).toMatchObject({
      time: '2026-03-01T12:00:00.250Z',
      request_id: 'r1',
      principal: 'alice@local',
      credential_id: 'session:1',
      source_ip: '10.0.0.7',
      action: 'flow_runs.read',
      resource_type: 'FlowRun',
      resource_id: FLOW_RUN,
      decision: 'allow',
      reason: 'policy-permits',
      policies: ['role:admin:read'],
      status: 200,
      bytes: 812,
      duration_ms: 250,
      upstream_ms: 200,
      path_taken: 'direct',
      revision: 3,
      session_id: 's1',
    });
  });

  it('is bound to the run in its path as verified, in whatever spelling', () => {
    const path = `/api/flow_runs/${FLOW_RUN.replaceAll('-', '').toUpperCase()}`;
    expect(record(accessLine('r1', { path }))).toMatchObject({ flow_run_id: FLOW_RUN, run_binding: 'verified' });
  });

  it('is bound to what a client claims as asserted, and only where the path proves nothing', () => {
    const claim = { x_prefect_deployment_id: DEPLOYMENT };
    const open = record(accessLine('r1', { ...claim, path: '/api/flows/filter', method: 'POST', operation: 'read_flows_flows_filter_post' }));
    expect(open).toMatchObject({ deployment_id: DEPLOYMENT, run_binding: 'asserted' });
    expect(record(accessLine('r1', claim))).toMatchObject({ flow_run_id: FLOW_RUN, deployment_id: null, run_binding: 'verified' });
  });

  it('is bound to nothing when the claim is no id', () => {
    const line = accessLine('r1', { x_prefect_deployment_id: 'x', path: '/api/flows/filter', operation: 'read_flows_flows_filter_post' });
    expect(record(line)).toMatchObject({ run_binding: 'none' });
  });

  it('is found below the path of the public URL', () => {
    expect(record(accessLine('r1', { path: `/prefect/api/flow_runs/${FLOW_RUN}` }), '/prefect')).toMatchObject({ flow_run_id: FLOW_RUN });
  });

  it('without facts and with a code is a denial without a principal', () => {
    const line = accessLine('r1', { facts: '', code: 'credential-missing', status: 401, operation: '', path: '/api/nothing' });
    expect(record(line)).toMatchObject({ decision: 'deny', reason: 'credential-missing', status: 401, path: '/api/nothing' });
    expect(record(line).principal ?? null).toBeNull();
  });

  it('without facts and without a code is not decided, never allowed', () => {
    expect(record(accessLine('r1', { facts: '' })).decision).toBeNull();
    expect(record(accessLine('r1', { facts: '!!!' })).decision).toBeNull();
  });

  it('that nginx refused after an allow is a denial with the code of nginx; an outage of Prefect is not', () => {
    expect(record(accessLine('r1', { code: 'rate-limited', status: 429 }))).toMatchObject({
      decision: 'deny',
      reason: 'rate-limited',
      principal: 'alice@local',
    });
    expect(record(accessLine('r1', { code: 'upstream-unavailable', status: 503 }))).toMatchObject({ decision: 'allow', reason: 'upstream-unavailable' });
  });

  it('with a denial in its facts stays one', () => {
    const line = accessLine('r1', {
      facts: facts({ decision: 'deny', reason: 'policy-default-deny', policies: [] }),
      code: 'policy-default-deny',
      status: 403,
    });
    expect(record(line)).toMatchObject({ decision: 'deny', reason: 'policy-default-deny', principal: 'alice@local' });
  });

  it('has no query', () => {
    expect(record(accessLine('r1', { path: '/api/flows?token=abc' })).path).toBe('/api/flows');
  });

  it('with invalid UTF-8 is read with replacement characters', () => {
    const line = Buffer.from(accessLine('r1', { ua: 'evil-#' }));
    line[line.indexOf('#')] = 0xff;
    expect(record(line).user_agent).toBe('evil-\ufffd');
  });

  it.each(['000', '009'])('with status %s, which is no JSON number, is readable', (status) => {
    expect(record(accessLine('r1').replace('"status":200', `"status":${status}`)).status).toBe(Number(status));
  });

  it.each([
    ['direct', 'upstream-unavailable'],
    ['egress', 'service-unavailable'],
    ['own', 'policy-permits'],
  ])('of an answer without a status line has the reason of a missing answer: %s', (taken, reason) => {
    const words = accessLine('r1', { taken }).replace('"status":200', '"status":009');
    expect(record(words)).toMatchObject({ reason, decision: 'allow', principal: 'alice@local' });
    expect(record(accessLine('r1', { taken }))).toMatchObject({ reason: 'policy-permits' });
    expect(record(words.replace('"code":""', '"code":"rate-limited"')).reason).toBe('rate-limited');
  });

  it('sums the times of several upstreams, and has none for a dash', () => {
    expect(record(accessLine('r1', { upstream: '0.010, 0.020 : 0.001' })).upstream_ms).toBe(31);
    expect(record(accessLine('r1', { upstream: '-' })).upstream_ms).toBeNull();
  });

  it.each(['', 'garbage', '[]', '"x"', '{}', '{"request_id":"r"}', '{"msec":"1.5"}', accessLine('r1').slice(0, 40)])(
    'that is %j is unreadable, not an error',
    (line) => {
      expect(parseAccessLine(Buffer.from(line), routes)).toEqual({ ok: false });
    },
  );

  it('says who it was however much there is to say', () => {
    const policies = Array.from({ length: 400 }, (_, number) => `own:équipe-${number}.cedar`);
    const all = { principal: 'run:x', on_behalf_of: ['alice@local'], session_id: 's1', decision: 'allow', policies } as const;
    expect(record(accessLine('r1', { facts: facts(all) }))).toMatchObject(all);
  });

  it('glued to the remains of another is found again', () => {
    const [remains, whole] = splitGluedLine(Buffer.from(accessLine('r1').slice(0, 50) + accessLine('r2')));
    expect(remains?.bytes.toString()).toBe(accessLine('r1').slice(0, 50));
    expect(record(whole?.bytes.toString() ?? '').request_id).toBe('r2');
  });

  it.each(['curl{', '{', '{"', '{"msec":1,"request_id":"x"}', '\u00e9{', 'x\\'])('is found again whatever a client calls itself: %j', (ua) => {
    const remains = accessLine('r1').slice(0, 60);
    const bytes = Buffer.from(remains + accessLine('r2', { ua }) + accessLine('r3').slice(0, 40) + accessLine('r4', { ua }));
    const pieces = splitGluedLine(bytes);
    expect(Buffer.concat(pieces.map((piece) => piece.bytes))).toEqual(bytes);
    expect(pieces.map(({ at }) => at)).toEqual(pieces.map((_, index) => pieces.slice(0, index).reduce((sum, piece) => sum + piece.bytes.length, 0)));
    const lines = pieces.map((piece) => parseAccessLine(piece.bytes, routes));
    expect(lines.map((line) => (line.ok ? [line.record.request_id, line.record.user_agent] : null))).toEqual([null, ['r2', ua], null, ['r4', ua]]);
  });

  it.each([{ msec: 1e15 }, { msec: 1e305 }, { msec: '9e400' }, { msec: 253_402_300_800 }, { duration: '1e9' }, { duration: 1e300 }, { duration: 1e308 }])(
    'that names a time that is none is unreadable, and stops nothing: %j',
    (more) => {
      const line = accessLine('r1', more);
      expect(() => parseAccessLine(Buffer.from(line), routes)).not.toThrow();
      const parsed = parseAccessLine(Buffer.from(line), routes);
      expect(parsed.ok ? parsed.record.time : '2026').toMatch(/^2026/);
    },
  );
});
