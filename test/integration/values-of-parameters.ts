// Values of parameters, before a real Prefect: the list of docs/how-to/parameter-values.md for one deployment, however it is started. Part of mediated-configuration.test.ts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { docsBlock } from '../env/docs.ts';
import { directTo, field, sharedPrefect, text } from '../env/prefect.ts';
import type { Finished } from '../env/process.ts';

/** The policy of the page, for this deployment. */
export function limitedTo(deployment: string): string {
  return docsBlock('how-to/parameter-values.md', '@id("nightly-values")').replaceAll('etl/nightly', deployment);
}

export interface ValuesRoom {
  readonly flowName: string;
  /** A directory of the test's own. */
  readonly home: string;
  readonly send: (role: string, method: string, path: string, body?: unknown) => Promise<{ readonly status: number; readonly body: unknown }>;
  readonly lictor: (...args: string[]) => Promise<Finished>;
  readonly flow: () => string;
  readonly deploymentOf: (own?: object) => Promise<string>;
}

export function valuesOfParameters({ flowName: name, home, send, lictor, flow, deploymentOf }: ValuesRoom): void {
  const server = directTo(sharedPrefect());
  /** So late that Prefect has nothing to do for them while others test. */
  const state = { type: 'SCHEDULED', state_details: { scheduled_time: '2099-01-01T00:00:00Z' } };
  const runOf = async (deployment: string) => text(field(await server.post(`/deployments/${deployment}/create_flow_run`, { state }), 'id'));
  const runsOf = (deployment: string) => server.post('/flow_runs/count', { flow_runs: { deployment_id: { any_: [deployment] } } });
  const parametersOf = async (run: unknown) => field(await server.get(`/flow_runs/${text(field(run, 'id'))}`), 'parameters');
  const json = (value: unknown) => ({ __prefect_kind: 'json', value: JSON.stringify(value) });

  describe('values of parameters', () => {
    it('are those of the list, as Prefect then has them, and no others are ever started', async () => {
      const id = await deploymentOf({ name: 'limited' });
      const create = `/deployments/${id}/create_flow_run`;
      for (const [given, taken] of [
        [{ region: 'eu' }, { region: 'eu' }],
        [{ region: json('uk') }, { region: 'uk' }],
        [{ region: { __prefect_kind: 'none', value: json('eu') } }, { region: 'eu' }],
        [{ limit: json(100) }, { limit: 100 }],
      ] as const) {
        const made = await send('operator', 'POST', create, { parameters: given, state });
        expect([made.status, await parametersOf(made.body)]).toEqual([201, taken]);
      }
      const before = await runsOf(id);
      const variable = { __prefect_kind: 'workspace_variable', variable_name: name.replace('-', '_') };
      for (const region of ['us', json('us'), variable, { __prefect_kind: 'jinja', template: 'eu' }])
        expect(await send('admin', 'POST', create, { parameters: { region } })).toMatchObject({ status: 403, body: { code: 'policy-forbids' } });
      const whole = { ...json({ region: 'us' }), region: 'eu' };
      expect(await send('admin', 'POST', create, { parameters: whole })).toMatchObject({ status: 400, body: { code: 'parameters-unreadable' } });
      expect((await send('admin', 'POST', `${create}/bulk`, [{ parameters: { region: 'eu' } }, { parameters: { region: 'us' } }])).status).toBe(403);
      expect((await send('admin', 'POST', '/flow_runs/', { deployment_id: id, flow_id: flow(), parameters: { region: 'us' } })).status).toBe(403);
      expect(await runsOf(id)).toBe(before);
    });

    it('are decided on when a run that waits is changed, and when a schedule, the deployment or an automation says others', async () => {
      const id = await deploymentOf({ name: 'limited' });
      const run = await runOf(id);
      const trigger = {
        type: 'event',
        posture: 'Reactive',
        match: { 'prefect.resource.id': `prefect.flow-run.${run}` },
        expect: ['x'],
        threshold: 1,
        within: 0,
      };
      const automation = (parameters: object) => ({ name, trigger, actions: [{ type: 'run-deployment', source: 'selected', deployment_id: id, parameters }] });
      const schedule = (parameters: object) => [{ schedule: { interval: 3600 }, parameters, active: false }];
      const ways: readonly (readonly [string, string, (parameters: object) => unknown, string])[] = [
        ['PATCH', `/flow_runs/${run}`, (parameters) => ({ parameters }), 'policy-forbids'],
        ['POST', `/deployments/${id}/schedules`, schedule, 'policy-forbids'],
        ['PATCH', `/deployments/${id}`, (parameters) => ({ parameters }), 'policy-forbids'],
        ['POST', '/automations/', automation, 'automation-exceeds-rights'],
      ];
      for (const [method, path, body, code] of ways) {
        expect(await send('admin', method, path, body({ region: 'hunter2' })), path).toMatchObject({ status: 403, body: { code } });
        expect((await send('admin', method, path, body({ region: 'eu' }))).status, path).toBeLessThan(300);
      }
      expect(await server.get(`/flow_runs/${run}`)).toMatchObject({ parameters: { region: 'eu' } });
      expect(await server.get(`/deployments/${id}`)).toMatchObject({ parameters: { region: 'eu' }, schedules: [{ parameters: { region: 'eu' } }] });
      const line = `POST /api/deployments/${id}/create_flow_run`;
      writeFileSync(join(home, 'body.json'), '{"parameters":{"region":"hunter2"}}');
      const explained = await lictor('explain', '--request', line, '--as', 'token:admin', '--body', join(home, 'body.json'), '--json');
      expect(JSON.parse(explained.output)).toMatchObject({
        decision: 'deny',
        reason: 'policy-forbids',
        asks: [{ facts: { parameter_values: ['region="hunter2"'] } }, {}],
      });
      // Values may be secrets: they are written down nowhere.
      const records = (await lictor('audit', '--json')).output;
      expect(records).toContain('nightly-values');
      expect(records).not.toContain('hunter2');
    });

    it('Prefect fills them in twice: what the text of one names is a read as well', async () => {
      const id = await deploymentOf();
      const variable = `twice_${name.replace('-', '_')}`;
      await server.post('/variables/', { name: variable, value: 'kept' });
      const hidden = { parameters: { n: json({ __prefect_kind: 'workspace_variable', variable_name: variable }) } };
      expect(await send('blind', 'PATCH', `/deployments/${id}`, hidden)).toMatchObject({ status: 403, body: { code: 'policy-forbids' } });
      expect((await send('blind', 'PATCH', `/deployments/${id}`, { parameters: { n: json({ a: 1 }) } })).status).toBe(204);
      expect((await send('deployer', 'PATCH', `/deployments/${id}`, hidden)).status).toBe(204);
      expect(field(await server.get(`/flow_runs/${await runOf(id)}`), 'parameters')).toEqual({ n: 'kept' });
    });

    it('no detour gives a variable to a principal that may not read it', async () => {
      const variable = `round_${name.replace('-', '_')}`;
      await server.post('/variables/', { name: variable, value: { n: 'kept' } });
      const reference = { __prefect_kind: 'workspace_variable', variable_name: variable };
      const none = (value: unknown) => ({ __prefect_kind: 'json', value: { __prefect_kind: 'none', value } });
      const detours = [none(JSON.stringify(reference)), none({ __prefect_kind: 'jinja', template: JSON.stringify(reference) })];
      for (const detour of [...detours, { __prefect_kind: 'json', value: { __prefect_kind: 'x', value: JSON.stringify(reference) } }]) {
        const id = await deploymentOf();
        const body = { parameters: { n: detour } };
        expect(await send('blind', 'PATCH', `/deployments/${id}`, body)).toMatchObject({ status: 403, body: { code: 'policy-forbids' } });
        expect((await send('blind', 'PATCH', `/deployments/${id}`, { parameters: { n: none('"text"') } })).status).toBe(204);
        expect((await send('deployer', 'PATCH', `/deployments/${id}`, body)).status).toBe(204);
        expect(await parametersOf({ id: await runOf(id) })).toEqual({ n: { n: 'kept' } });
      }
      // What a PATCH repeats is filled in as well, and stays so.
      const kept = await deploymentOf({ parameters: { n: reference } });
      expect(await send('blind', 'PATCH', `/deployments/${kept}`, { parameters: { n: reference } })).toMatchObject({ status: 403 });
      expect((await send('deployer', 'PATCH', `/deployments/${kept}`, { parameters: { n: reference } })).status).toBe(204);
      expect(await server.get(`/deployments/${kept}`)).toMatchObject({ parameters: { n: { n: 'kept' } } });
    });

    it('nor does an automation, whatever its templates are made of', async () => {
      const id = await deploymentOf();
      const trigger = {
        type: 'event',
        posture: 'Reactive',
        match: { 'prefect.resource.id': `prefect.deployment.${id}` },
        expect: ['x'],
        threshold: 1,
        within: 0,
      };
      const automation = (parameters: object) => ({
        ...{ name, enabled: false, trigger },
        actions: [{ type: 'run-deployment', source: 'selected', deployment_id: id, parameters }],
      });
      for (const n of [{ __prefect_kind: 'jinja', template: { __prefect_kind: 'json', value: '"{{ vari\\u0061bles.x }}"' } }, '\x1c{{ event.payload.x }}']) {
        const refused = await send('blind', 'POST', '/automations/', automation({ n }));
        expect(refused).toMatchObject({ status: 403, body: { code: 'automation-exceeds-rights', detail: expect.stringContaining('variables.read') } });
        expect((await send('deployer', 'POST', '/automations/', automation({ n }))).status).toBe(201);
      }
      expect((await send('blind', 'POST', '/automations/', automation({ n: 'run {{ event.id }}' }))).status).toBe(201);
    });
  });
}
