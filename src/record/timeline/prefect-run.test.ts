import { describe, expect, it } from 'vitest';
import type { Upstream } from '../../prefect/client/upstream.ts';
import { askPrefect } from './prefect-run.ts';
import { RUN } from './timeline.fixture.ts';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

describe('what Prefect says about a run', () => {
  const run = {
    id: RUN,
    name: 'fuzzy-otter',
    state_name: 'Completed',
    created: '2026-03-01T13:00:00.123456+01:00',
    labels: { 'lictor.principal': 'alice@local', n: 3 },
  };
  const states = [{ id: 's', type: 'COMPLETED', name: 'Completed', message: 'done', timestamp: '2026-03-01T12:00:09.5Z' }, { name: 'no time' }];

  function upstream(runAnswer: Answer, statesAnswer: Answer): Upstream {
    const request: Upstream['request'] = async ({ path, query }) => {
      expect([`/api/flow_runs/${RUN}`, '/api/flow_run_states/']).toContain(path);
      if (query !== undefined) expect(query).toBe(`flow_run_id=${RUN}`);
      const { status, body } = query === undefined ? runAnswer : statesAnswer;
      return { status, headers: {}, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), upstreamMs: 1 };
    };
    return {
      request,
      socketTarget: (path) => ({ url: path, token: null }),
      socketAuthorities: () => null,
      close: async () => undefined,
    };
  }
  const ok = (body: unknown): Answer => ({ status: 200, body });

  it('is read with times in UTC and text labels', async () => {
    expect(await askPrefect(upstream(ok(run), ok(states)), RUN)).toEqual({
      found: 'yes',
      run: {
        id: RUN,
        name: 'fuzzy-otter',
        state: 'Completed',
        created: '2026-03-01T12:00:00.123Z',
        deploymentId: null,
        autoScheduled: false,
        createdBy: null,
        parentTaskRunId: null,
        labels: { 'lictor.principal': 'alice@local' },
      },
      states: [{ id: 's', type: 'COMPLETED', name: 'Completed', message: 'done', timestamp: '2026-03-01T12:00:09.500Z' }],
    });
  });

  it('is nothing for a run that it does not know', async () => {
    expect(await askPrefect(upstream({ status: 404, body: {} }, ok([])), RUN)).toEqual({ found: 'no' });
  });

  it.each<[string, Answer, Answer]>([
    ['refuses', { status: 401, body: {} }, ok([])],
    ['fails', ok(run), { status: 500, body: '' }],
    ['answers with something else', ok('<html>'), ok([])],
    ['answers with another shape', ok([]), ok([])],
  ])('is unknown when Prefect %s', async (_how, runAnswer, statesAnswer) => {
    expect(await askPrefect(upstream(runAnswer, statesAnswer), RUN)).toMatchObject({ found: 'unknown', problem: expect.stringMatching(/./) });
  });

  it('is unknown when Prefect is away', async () => {
    const away = { ...upstream(ok(run), ok([])), request: () => Promise.reject(new Error('Prefect cannot be reached.')) };
    expect(await askPrefect(away, RUN)).toEqual({ found: 'unknown', problem: 'Prefect cannot be reached.' });
  });
});
