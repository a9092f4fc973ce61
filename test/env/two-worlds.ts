// A world of two teams, and a second one that differs from it in what is hidden from the first team alone.
import { randomUUID } from 'node:crypto';
import type { Guesses } from './filter-questions.ts';
import type { Gateway } from './gateway.ts';
import { type Direct, field, text } from './prefect.ts';
import { waitFor } from './process.ts';
import { entangle, makeTeams, scopeArguments, type Team } from './teams.ts';

export interface Worlds {
  readonly guesses: Guesses;
  readonly own: Team;
  readonly token: string;
  /** Changes what is hidden. */
  change(): Promise<void>;
}

const HOUR_MS = 3_600_000;

export async function makeWorlds(server: Direct, gateway: Gateway): Promise<Worlds> {
  const { a, b } = await makeTeams(server);
  const entangled = await entangle(server, a, b);
  const made = async (path: string, body: unknown): Promise<string> => text(field(await server.post(path, body), 'id'));
  const task = await made('/task_runs/', { flow_run_id: a.finishedRun, task_key: 'second', dynamic_key: '1', name: `${a.mark}-second` });
  // Prefect gives the state of a sub-flow to the task run that started it when the sub-flow is made: so it is there first, and then goes.
  const child = await made('/flow_runs/', { flow_id: b.flow, tags: [b.tag], parent_task_run_id: task, name: `${b.mark}-child-of-second` });
  const lone = await made('/flows/', { name: `${a.mark}-lone` });
  const run = await made('/flow_runs/', { flow_id: lone, tags: [a.tag], name: `${a.mark}-alone` });
  const guest = await guestRun(server, a, b);
  // Whatever waits for its time becomes late while questions are asked.
  for (const id of [a.scheduledRun, a.localRun, run, guest, ...entangled]) {
    await server.post(`/flow_runs/${id}/set_state`, { state: { type: 'COMPLETED' }, force: true });
    await eventsAbout(server, `prefect.flow-run.${id}`, 'prefect.flow-run.Completed');
  }
  const shared = text(field(await server.get(`/flow_runs/${a.localRun}`), 'flow_id'));
  const guesses: Guesses = {
    team: b,
    texts: [`${b.mark}-guest`, `${b.mark}-hidden`, `${b.mark}_variable`, `${b.mark}.custom`, 'AUTOMATION'],
    since: new Date(Date.now() - HOUR_MS).toISOString(),
    until: new Date(Date.now() + HOUR_MS).toISOString(),
  };
  const { secret: token } = await gateway.token('filters', ['operator'], ...scopeArguments(a));
  return { guesses, own: a, token, change: () => change(server, { b, child, lone, shared }) };
}

/** A run of the first team in a deployment of the second: its id is shown, its name and tags are not. */
async function guestRun(server: Direct, a: Team, b: Team): Promise<string> {
  const flow = text(field(await server.post('/flows/', { name: `guest-of-${a.mark}` }), 'id'));
  const deployment = text(field(await server.post('/deployments/', { name: `${b.mark}-guest`, flow_id: flow, tags: [a.tag] }), 'id'));
  const run = text(field(await server.post(`/deployments/${deployment}/create_flow_run`, { name: `${a.mark}-guest-run` }), 'id'));
  // A second deployment of this name takes the place of the first: the tags are its own now.
  await server.post('/deployments/', { name: `${b.mark}-guest`, flow_id: flow, tags: [`${b.mark}-hidden`] });
  return run;
}

interface Hidden {
  readonly b: Team;
  /** A run of the second team that a task run of the first has started. */
  readonly child: string;
  /** A flow that the first team alone runs. */
  readonly lone: string;
  readonly shared: string;
}

async function change(server: Direct, { b, child, lone, shared }: Hidden): Promise<void> {
  await makeTeams(server);
  await server.post('/deployments/', { name: `${b.mark}-late`, flow_id: lone, tags: [b.tag] });
  await server.delete(`/flow_runs/${child}`);
  for (const flow_id of [shared, lone])
    await server.post('/flow_runs/', { flow_id, tags: [b.tag], name: `${b.mark}-late-run`, idempotency_key: `${b.mark}-${flow_id}` });
  const events = Array.from({ length: 60 }, () => eventNaming(shared, b));
  await server.post('/events', events);
  await eventsAbout(server, `${b.mark}.late`, `${b.mark}.late`, events.length);
}

/** It names the flow that both teams have, and a run of the second. */
function eventNaming(shared: string, b: Team) {
  const related = (kind: string, id: string) => ({
    'prefect.resource.id': `prefect.${kind}.${id}`,
    'prefect.resource.role': kind,
    'prefect.resource.name': b.mark,
  });
  return {
    id: randomUUID(),
    occurred: new Date().toISOString(),
    event: `${b.mark}.late`,
    resource: { 'prefect.resource.id': `${b.mark}.late` },
    related: [related('flow', shared), related('flow-run', b.finishedRun)],
  };
}

async function eventsAbout(server: Direct, id: string, event: string, most = 1): Promise<void> {
  const filter = { any_resource: { id: [id] }, event: { name: [event] } };
  const stored = async (): Promise<boolean> => Number(field(await server.post('/events/filter', { filter, limit: 1 }), 'total')) >= most;
  await waitFor(stored, { what: `events about ${id} to be stored`, timeoutMs: 60_000 });
}

/** Fields that change by themselves, or with what is hidden and are no filter's. */
const MOVING = ['updated', 'estimated_run_time', 'estimated_start_time_delta', 'sum_estimated_run_time', 'sum_estimated_lateness', 'request_id'];

export interface Answer {
  readonly status: number;
  readonly code: unknown;
  readonly text: string;
}

/** What the gateway answers, without what changes by itself. Of a next page: whether there is one. */
export async function answerTo(gateway: Gateway, token: string, { path, body }: { readonly path: string; readonly body: unknown }): Promise<Answer> {
  const init = { method: 'POST', token, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  for (let attempt = 0; ; attempt += 1) {
    const response = await gateway.fetch(`/api${path}`, init);
    const whole: unknown = await response.json();
    // On SQLite Prefect is busy now and then: clients ask again.
    if (response.status === 503 && attempt < 5) continue;
    const code = typeof whole === 'object' && whole !== null && !Array.isArray(whole) ? field(whole, 'code') : undefined;
    const text_ = JSON.stringify(whole, (key, value: unknown) => (MOVING.includes(key) ? null : key === 'next_page' && value !== null ? 'more' : value));
    return { status: response.status, code, text: text_ };
  }
}
