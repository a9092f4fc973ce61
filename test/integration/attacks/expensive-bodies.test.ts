// research row DS: bodies that are expensive cost their sender, and nobody else. The figures are in test/endurance/expensive-bodies.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, EXPENSIVE, openClient } from '../../env/expensive-bodies.ts';
import type { RecordedAnswer } from '../../env/upstream-recorder.ts';
import { expectNothingWritten, useHarness, writesSeen } from './harness.ts';

const harness = useHarness({ config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
const MIB = 1024 * 1024;
const VALIDATE = '/api/ui/schemas/validate';
const RUN = '/api/deployments/11111111-1111-4111-8111-111111111111/create_flow_run';
const VARIABLE = '/api/variables/';
const SMALL = '{"name":"a","value":1}';
const large = (mebibytes: number) => `{"parameters":{"a":"${'x'.repeat(mebibytes * MIB - 100)}"}}`;
let client: Client;
beforeAll(() => {
  client = openClient(harness.gateway);
});
afterAll(() => client?.close());

describe('DS-02: expensive bodies', () => {
  it.each(['deep, then wide', 'many keys', 'fractions'])('DS-02: ten at once, %s, and another principal goes on meanwhile', async (shape) => {
    const body = `{"schema":{},"values":{"a":${EXPENSIVE[shape]?.(MIB / 8)}}}`;
    // Without rests between the steps, each round of the first shape has one answer, at its end. The other shapes are too quick to show it: body-work.test.ts
    // does. On a busy machine a round may be too short for two answers.
    let most = 0;
    for (let round = 0; round < 15 && most < 2; round += 1) {
      const watched = client.watch({ ask: { method: 'POST', path: VARIABLE, token: harness.admin, body: SMALL } });
      const answers = await Promise.all(Array.from({ length: 10 }, () => client.post(VALIDATE, harness.viewer, body)));
      const others = await watched();
      expect(answers.map(({ status }) => [200, 403, 413, 429].includes(status))).toEqual(answers.map(() => true));
      expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]));
      most = others.length;
    }
    expect(most).toBeGreaterThan(1);
  });

  it('DS-02: more values than the bound are 413, with their own reason, and as many as it allows go through', async () => {
    const refused = await harness.gateway.fetch(VALIDATE, {
      method: 'POST',
      token: harness.viewer,
      headers: { 'content-type': 'application/json' },
      body: `{"schema":{},"values":{"a":[${'0,'.repeat(300_000)}0]}}`,
    });
    expect([refused.status, await refused.json()]).toEqual([413, expect.objectContaining({ code: 'body-too-complex' })]);
    expectNothingWritten(harness);
    expect((await client.post(VALIDATE, harness.viewer, `{"schema":{},"values":{"a":[${'0,'.repeat(290_000)}0]}}`)).status).toBe(200);
  });

  it('DS-02: large bodies of one principal wait for each other; small ones, and those of others, do not', async () => {
    let answer: (() => void) | undefined;
    const held = new Promise<RecordedAnswer>((resolve) => {
      answer = () => resolve({ status: 201, body: '{}' });
    });
    harness.recorder.answerWith(({ method, target, body }) => (method === 'POST' && target === RUN && body.length > 3 * MIB ? held : undefined));
    const arrived = () => writesSeen(harness).filter(({ target }) => target === RUN).length;
    try {
      const first = [client.post(RUN, harness.operator, large(7)), client.post(RUN, harness.operator, large(7))];
      await expect.poll(arrived, { timeout: 60_000 }).toBe(2);
      const waiting = client.post(RUN, harness.operator, large(7));
      expect((await client.post(RUN, harness.operator, large(0.01))).status).toBe(200);
      expect((await client.post(RUN, harness.admin, large(2))).status).toBe(200);
      expect(arrived()).toBe(4);
      answer?.();
      expect((await Promise.all([...first, waiting])).map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(arrived()).toBe(5);
    } finally {
      answer?.();
      harness.recorder.answerWith(undefined);
    }
  });
});
