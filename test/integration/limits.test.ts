// limits at the real edge: which limits count a request, and what a stock worker does that meets one.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Limit } from '../../src/config/config.ts';
import { bareService } from '../../src/config/service.fixture.ts';
import { OUTPUT } from '../../src/contract/names.ts';
import { stockClient } from '../env/client.ts';
import { jsonLines, startGateway } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { request } from '../env/raw-request.ts';
import { type StubEdge, startStubEdge, waitFor } from '../env/stub-edge.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const MUCH = { perSecond: 100_000, burst: 100_000 };
/** One request and one more at once; the next one a second later. */
const LITTLE = { perSecond: 1, burst: 1 };
const LIMITS: readonly Limit[] = [
  { kind: 'everyone', name: '', rate: MUCH, concurrency: null },
  { kind: 'role', name: 'worker', rate: LITTLE, concurrency: null },
  { kind: 'role', name: 'run', rate: null, concurrency: 1 },
  { kind: 'principal', name: 'Bob+(x).*@corp', rate: LITTLE, concurrency: null },
  { kind: 'service', name: 'billing', rate: LITTLE, concurrency: 5 },
];

describe('the edge with several limits', () => {
  let edge: StubEdge;
  let service: Recorder;
  beforeAll(async () => {
    service = await startRecorder();
    const servers = [{ origin: service.url, weight: 1, backup: false }];
    edge = await startStubEdge({
      limits: LIMITS,
      services: ['billing', 'other'].map((name) => bareService(name, [{ pattern: '/*', methods: ['GET'] }], { servers })),
    });
  });
  afterAll(async () => {
    await edge?.stop();
    await service?.close();
  });
  beforeEach(() => {
    edge.clear();
    edge.upstream.answerWith(undefined);
  });

  /** Each test has its own principals: nginx counts on from one to the next. `roles` as the decision names them. */
  function decideAs(principal: string, roles = '', way = 'direct'): void {
    edge.decideWith((_inputs, response) =>
      response
        .writeHead(200, {
          [OUTPUT.path]: way,
          [OUTPUT.limit]: encodeURIComponent(principal),
          ...(roles !== '' && { [OUTPUT.limitedRoles]: roles }),
          'cache-control': 'max-age=1, stale-if-error=30',
        })
        .end(),
    );
  }

  /** The key of a cached decision has the token: a principal has its own. */
  async function ask(principal: string, count = 20, path = '/api/flows/filter'): Promise<readonly Response[]> {
    const one = () => fetch(`${edge.url}${path}`, { headers: { 'x-lictor-token': encodeURIComponent(principal) } });
    return Promise.all(Array.from({ length: count }, one));
  }

  const refused = (answers: readonly Response[]): readonly Response[] => answers.filter(({ status }) => status === 429);

  it('counts each principal with a limited role, also by cached decisions, and no other principal', async () => {
    decideAs('token:busy', 'deployer,worker');
    const [first] = refused(await ask('token:busy'));
    expect([first?.headers.get('retry-after'), first?.headers.get('prefect-maintenance')]).toEqual(['1', 'true']);
    expect(await first?.json()).toMatchObject({ code: 'limit-exceeded', detail: expect.stringContaining('a limit') });
    decideAs('token:calm', 'worker');
    expect(refused(await ask('token:calm', 1))).toEqual([]);
    decideAs('token:other');
    expect(refused(await ask('token:other'))).toEqual([]);
    decideAs('token:similar', 'workers');
    expect(refused(await ask('token:similar'))).toEqual([]);
  });

  it('counts exactly the named principal', async () => {
    decideAs('Bob+(x).*@corp');
    expect(refused(await ask('Bob+(x).*@corp')).length).toBeGreaterThan(0);
    for (const other of ['bob+(x).*@corp', 'Bob+x.*@corp', 'Bob+(x)yz@corp', 'Bob+(x).*@corp2', 'aBob+(x).*@corp']) {
      decideAs(other);
      expect(refused(await ask(other)), other).toEqual([]);
    }
  });

  it('counts mediated and direct requests together', async () => {
    decideAs('token:both', 'worker', 'mediated');
    expect(refused(await ask('token:both', 2))).toEqual([]);
    decideAs('token:both', 'worker');
    await waitFor(async () => edge.controlled().length === 2, { what: 'the mediated requests' });
    // After a pause as well, no more than two of them find a place at once, and one each second.
    expect(refused(await ask('token:both', 20, '/api/flow_runs/filter')).length).toBeGreaterThan(0);
  });

  it('counts the calls of one service together, from all callers, and those of no other service', async () => {
    const callers = Array.from({ length: 20 }, (_, place) => `run:${place}`);
    const callAll = async (service: string) => {
      const answers = await Promise.all(callers.map((caller) => ask(caller, 1, `/.lictor/svc/${service}/v1`)));
      return { refused: refused(answers.flat()), all: answers.flat() };
    };
    edge.decideWith(({ token }, response) => response.writeHead(200, { [OUTPUT.path]: 'egress', [OUTPUT.limit]: token, 'cache-control': 'no-store' }).end());
    const billing = await callAll('billing');
    expect(billing.all.some(({ status }) => status === 200)).toBe(true);
    const [one] = billing.refused;
    expect([one?.headers.get('retry-after'), await one?.json()]).toMatchObject(['1', { code: 'limit-exceeded' }]);
    expect((await callAll('other')).refused).toEqual([]);
  });

  it('refuses one more than may be in progress, and accepts it when one has ended', async () => {
    const held = Promise.withResolvers<undefined>();
    edge.upstream.answerWith(() => held.promise);
    decideAs('run:1', 'run');
    const first = ask('run:1', 1);
    await waitFor(async () => edge.upstream.seen().length === 1, { what: 'the request at the upstream' });
    const [second] = await ask('run:1', 1);
    expect([second?.status, second?.headers.get('retry-after'), await second?.json()]).toMatchObject([429, '1', { code: 'limit-exceeded' }]);
    decideAs('run:2');
    const other = ask('run:2', 1);
    await waitFor(async () => edge.upstream.seen().length === 2, { what: 'the request of another principal at the upstream' });
    held.resolve(undefined);
    expect((await Promise.all([first, other])).flat().map(({ status }) => status)).toEqual([200, 200]);
    decideAs('run:1', 'run');
    await waitFor(async () => (await ask('run:1', 1))[0]?.status === 200, { what: 'room for one more' });
  });

  it('never refuses an upgrade', async () => {
    decideAs('token:socket', 'worker');
    expect(refused(await ask('token:socket')).length).toBeGreaterThan(0);
    const upgrade = ['GET /api/events/in HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket', 'X-Lictor-Token: token%3Asocket'];
    for (let count = 0; count < 5; count += 1) expect((await request(edge.port, upgrade)).statuses).not.toContain(429);
  });
});

it('a stock worker that meets a limit waits and goes on', async () => {
  const prefect = sharedPrefect();
  const gateway = await startGateway({ upstream: prefect, config: { limits: [{ for: 'role:worker', rate: '1/s', burst: 1 }] } });
  const { secret } = await gateway.token('slow', ['worker', 'deployer']);
  const client = stockClient({ venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret } });
  try {
    const { code, output } = await client.prefect(['worker', 'start', '--pool', `limited-${gateway.port}`, '--type', 'process', '--run-once']);
    expect(code, output).toBe(0);
    const records = jsonLines(await gateway.lictorOk('audit', '--principal', 'token:slow', '--json'));
    const refusals = records.filter(({ reason }) => reason === 'limit-exceeded');
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals[0]).toMatchObject({ decision: 'deny', status: 429 });
    expect(records.filter(({ action, status }) => action === 'worker.poll' && status === 200).length).toBeGreaterThan(0);
  } finally {
    await client.stop();
    await gateway.close();
  }
});
