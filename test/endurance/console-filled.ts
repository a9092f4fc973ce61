// Objects of every kind that the console shows, and the addresses of its panels and dialogs about them.
import { expect } from 'vitest';
import type { Session } from '../env/browser-session.ts';
import { field, text } from '../env/prefect.ts';
import { openSocket } from '../env/socket.ts';
import type { Stack } from '../integration/console/stack.ts';
import { idOf } from '../integration/console/walks/identities.ts';

const POLICY = (name: string) => `@id("${name}") forbid (principal == Principal::"token:frozen", action == Action::"flows.read", resource);`;

interface Address {
  readonly address: string;
  /** The page shows it once it has its objects. */
  readonly shows: RegExp;
  /** The revision below the draft that the page needs. */
  readonly base?: 'current' | 'former';
}

export const OPEN: readonly Address[] = [
  { address: '/runs', shows: /filled-run/ },
  { address: '/runs?q=no-such-run', shows: /No run that you may see fits/ },
  { address: '/runs/{run}', shows: /Denials/ },
  { address: '/runs/{run}?form=table', shows: /viewer@local/ },
  { address: '/runs/{run}?row=record%3A{denial}', shows: /What would change the answer/ },
  { address: '/search', shows: /flow_runs\.set_state/ },
  { address: '/search?record={denial}', shows: /What would change the answer/ },
  { address: '/search?q=prinicpal:x', shows: /Did you mean/ },
  { address: '/access?rows=principals', shows: /viewer@local/ },
  { address: '/access?who=role%3Aviewer&what=deployments.run', shows: /What would change the answer/ },
  { address: '/access?tab=unused', shows: /Use of roles|admin@local/ },
  { address: '/access?tab=request', shows: /Explain/ },
  { address: '/policies', shows: /first\.cedar/ },
  { address: '/policies?tab=history', shows: /with first, second/ },
  { address: '/policies?dialog=new', shows: /Name/ },
  { address: '/policies?dialog=rollback&revision={former}', shows: /Roll back/ },
  { address: '/policies?tab=effect', shows: /No recorded decision/, base: 'current' },
  { address: '/policies?dialog=apply', shows: /Apply this draft/, base: 'current' },
  { address: '/policies?dialog=discard', shows: /Discard this draft/, base: 'current' },
  { address: '/policies?dialog=conflict', shows: /Another set came into force/, base: 'former' },
  { address: '/identities?tab=services', shows: /filled-worker/ },
  { address: '/identities?tab=agents', shows: /copilot/ },
  { address: '/identities?tab=groups', shows: /group/i },
  { address: '/identities?tab=sessions', shows: /this one/ },
  { address: '/identities?tab=locks', shows: /a laptop is lost/ },
  { address: '/identities?tab=sockets', shows: /filled-worker/ },
  { address: '/identities?who=viewer%40local', shows: /from account viewer/ },
  { address: '/identities?tab=services&who=token%3Afilled-worker', shows: /Rotate/ },
  { address: '/identities?tab=services&do=create', shows: /Create a service token/ },
  { address: '/identities?tab=services&do=rotate&on=filled-worker', shows: /former|old/ },
  { address: '/identities?tab=services&do=revoke&on=filled-worker', shows: /Revoke filled-worker/ },
  { address: '/identities?tab=sessions&do=end&on={session}', shows: /End the session/ },
  { address: '/identities?tab=locks&do=lock', shows: /Why/ },
  { address: '/identities?tab=locks&do=unlock&on=token%3Afrozen', shows: /Remove the lock/ },
  { address: '/identities?tab=sockets&do=close&on=1', shows: /Close the socket/ },
  { address: '/approvals', shows: /copilot/ },
  { address: '/approvals/{approval}', shows: /eu/ },
  { address: '/approvals/{approval}?decide=approve', shows: /Approve this request/ },
  { address: '/approvals/{approval}?decide=deny', shows: /Deny this request/ },
  { address: '/health', shows: /filled-worker/ },
  { address: '/evidence?verify=1', shows: /complete and unchanged/ },
  { address: '/start', shows: /done/ },
];

/** A script: the page has a draft on this set of policies. */
export function draftOn(base: number): string {
  const draft = { base, changes: { 'third.cedar': POLICY('third') } };
  return `sessionStorage.setItem('lictor-draft:admin@local:policies', ${JSON.stringify(JSON.stringify(draft))})`;
}

/** Values by the names that the addresses have for them. */
export async function fill(stack: Stack): Promise<Readonly<Record<string, string>>> {
  const { gateway, accounts } = stack;
  const admin = await gateway.login(accounts.admin);
  const { secret } = await gateway.token('filled-worker', ['worker', 'operator']);
  await gateway.token('frozen', ['viewer']);
  await gateway.lictorOk('lock', 'token:frozen', '--why', 'a laptop is lost');
  const socket = openSocket(gateway.url, '/api/events/out', { headers: { authorization: `Bearer ${secret}` }, first: { type: 'auth', token: secret } });
  expect(await socket.opened).toBe(true);
  // First the policies: nobody decides a request from before a change of them.
  const revisions = await fillPolicies(stack, admin);
  return { ...revisions, ...(await fillRuns(stack, { admin, secret })), session: idOf(admin) };
}

async function fillRuns({ gateway, accounts, teams, server }: Stack, { admin, secret }: { readonly admin: Session; readonly secret: string }) {
  const create = `/deployments/${teams.a.deployment}/create_flow_run`;
  const run = text(field(await (await gateway.fetch(`/api${create}`, { session: admin, ...json({ name: 'filled-run' }) })).json(), 'id'));
  const set = (type: string, as: object) => gateway.fetch(`/api/flow_runs/${run}/set_state`, { ...as, ...json({ state: { type }, force: true }) });
  const viewer = await gateway.login(accounts.viewer);
  for (const type of ['PENDING', 'RUNNING']) await set(type, { token: secret });
  expect((await set('CANCELLING', { session: viewer })).status).toBe(403);
  await set('CANCELLED', { session: admin });
  await server.post(create, { parameters: { region: 'eu' } });
  const agent = (await gateway.token('copilot', [])).secret;
  const held = await gateway.fetch(`/api${create}`, { token: agent, ...json({ parameters: { region: 'moon' } }) });
  const [denial] = (await gateway.lictorOk('audit', '--flow-run', run, '--decision', 'deny', '--json')).trim().split('\n');
  return { run, denial: text(field(JSON.parse(denial ?? '{}'), 'id')), approval: text(field(await held.json(), 'approval_id')) };
}

async function fillPolicies({ gateway }: Stack, session: Session) {
  const proof = text(field(await (await gateway.fetch('/.lictor/api/v1/me', { session })).json(), 'csrf_token'));
  const revision = async () => Number(field(await (await gateway.fetch('/.lictor/api/v1/policies', { session })).json(), 'revision'));
  const apply = async (...names: readonly string[]) => {
    const files = Object.fromEntries(names.map((name) => [`${name}.cedar`, POLICY(name)]));
    const headers = { 'sec-fetch-site': 'same-origin', 'x-csrf-token': proof };
    const change = { base: await revision(), files, why: `with ${names.join(', ')}` };
    const answer = await gateway.fetch('/.lictor/api/v1/policies', { session, ...json(change, headers), method: 'PUT' });
    expect([answer.status, await answer.text()]).toEqual([200, expect.anything()]);
    return String(await revision());
  };
  return { former: await apply('first'), current: await apply('first', 'second') };
}

function json(body: object, headers = {}): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
