// The list of runs, and the timeline of one: lanes, table, keys, links, live rows, and what each role sees.
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { field, text } from '../../../env/prefect.ts';
import type { Team } from '../../../env/teams.ts';
import { type Stack, violations } from '../stack.ts';

const HOSTILE = '<img src=x onerror=alert(1)> \u202enur';

export function walkRuns(stack: () => Stack): void {
  let run: string;
  let foreign: string;
  let worker: string;
  beforeAll(async () => {
    const { gateway, teams, server } = stack();
    worker = (await gateway.token('runs-worker', ['worker'])).secret;
    run = await started(stack(), teams.a, HOSTILE);
    foreign = await started(stack(), teams.b, `${teams.b.mark}-foreign`);
    await setState(stack(), run, 'PENDING', worker);
    await setState(stack(), run, 'RUNNING', worker);
    const viewer = await gateway.login(stack().accounts.viewer);
    await gateway.fetch(`/api/flow_runs/${run}/set_state`, { session: viewer, ...json({ state: { type: 'CANCELLING' } }) });
    await gateway.fetch('/api/flows/filter', { token: worker, ...json({}, { 'x-prefect-flow-run-id': run }) });
    await server.post('/flow_runs/', { flow_id: teams.a.flow, name: `${teams.a.mark}-below`, parent_task_run_id: await taskOf(stack(), run) });
  });

  it('lists runs, finds one by its id, and shows its lanes', async () => {
    const page = await stack().open('admin', `/runs?q=${run}`);
    const link = page.getByRole('table', { name: 'Runs' }).getByRole('link');
    await link.waitFor();
    expect(await link.count()).toBe(1);
    expect(await link.textContent()).toContain('<img src=x onerror=alert(1)>');
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'runs-list');
    await link.click();
    for (const lane of ['Who asked', 'Denials', 'States']) await rowOf(page, lane).waitFor();
    expect(await rowOf(page, 'viewer@local').textContent()).toContain('403');
    expect(await page.getByRole('link', { name: 'Open in Prefect' }).getAttribute('href')).toBe(`/runs/flow-run/${run}`);
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'runs-lanes');
  });

  it('goes by keys alone: rows, the open row, zoom, table, all of it in the address', async () => {
    const page = await stack().open('admin', `/runs/${run}`);
    const picture = page.getByRole('treegrid', { name: 'Timeline' });
    await rowOf(page, 'Denials').waitFor();
    await picture.focus();
    for (const key of ['Home', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
    await page.getByRole('region', { name: 'Record' }).getByText('Verified: by the token').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await picture.focus();
    for (const key of ['+', '+', 't']) await page.keyboard.press(key);
    await page.getByRole('grid', { name: 'Rows of the timeline' }).waitFor();
    expect(new URL(page.url()).searchParams.get('form')).toBe('table');
    expect(Number(new URL(page.url()).searchParams.get('from'))).toBeGreaterThan(0);
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'runs-table');
    await page.reload();
    await page.getByRole('grid', { name: 'Rows of the timeline' }).getByText('viewer@local').waitFor();
    await page.goBack();
    await picture.waitFor();
  });

  it('shows what happens while one watches, in the dark and on a phone', async () => {
    const page = await stack().open('admin', `/runs/${run}`, { theme: 'dark', width: 375 });
    await rowOf(page, 'Running').waitFor();
    await setState(stack(), run, 'COMPLETED', worker);
    await page.getByRole('heading', { level: 1 }).locator('xpath=..').getByText('Completed').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'runs-phone-dark');
  });

  it('says who cancelled a run and by which right, to a person who knows only its name', async () => {
    const { gateway, accounts, teams } = stack();
    const name = `${teams.a.mark}-cancelled`;
    const id = await started(stack(), teams.a, name);
    const session = await gateway.login(accounts.operator);
    await gateway.fetch(`/api/flow_runs/${id}/set_state`, { session, ...json({ state: { type: 'CANCELLING' }, force: true }) });
    await setState(stack(), id, 'CANCELLED', worker);
    const page = await stack().open('admin', '/');
    await page.getByRole('searchbox', { name: 'Find runs' }).fill(name);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name }).waitFor();
    const said = page.getByText(/^Cancelled by operator@local from 127\.0\.0\.1 at .* UTC, allowed by the role operator\. Today the role operator holds on /);
    await said.filter({ hasText: teams.a.tag }).waitFor();
    await page.getByRole('link', { name: 'Show the record' }).click();
    const record = page.getByRole('region', { name: 'Record', exact: true });
    await record.getByText(/^Today: operator@local has the role operator on tags=.*, which permits this\.$/).waitFor();
    await record.getByText('It sets the state Cancelling or Cancelled.').waitFor();
    expect(await violations(page)).toEqual([]);
    const [box, button] = [await record.boundingBox(), await record.getByRole('button', { name: 'Zoom to it' }).boundingBox()];
    expect([(box?.y ?? 0) + (box?.height ?? 0), (button?.y ?? 0) + (button?.height ?? 0)].every((end) => end > 0 && end <= 900)).toBe(true);
    await stack().browser.shoot(page, 'runs-cancelled');
    const list = await stack().open('auditor', `/runs?state=CANCELLED&q=${name}`);
    const row = list.getByRole('table', { name: 'Runs' }).getByRole('row').filter({ hasText: id });
    await row.getByText('operator@local').waitFor();
    expect(await violations(list)).toEqual([]);
    await stack().browser.shoot(list, 'runs-by-name');
    await list.getByRole('searchbox', { name: 'Find runs' }).fill(name.slice(0, -1));
    await list.getByText('No run that you may see fits').waitFor();
    await list.getByRole('searchbox', { name: 'Find runs' }).fill(name);
    await list.keyboard.press('Enter');
    await list.getByRole('heading', { level: 1, name: id }).waitFor();
    await list.getByText(`Found by its exact name ${name}`).waitFor();
    expect(await list.getByRole('link', { name: 'Open in Prefect' }).count()).toBe(0);
    await list.getByText('You may not read this run in Prefect').waitFor();
    expect(await violations(list)).toEqual([]);
    await stack().browser.shoot(list, 'runs-barred');
    // The foreign name is as unknown as one that nobody has.
    const own = await gateway.login(accounts.operator);
    const ask = async (text: string) => (await gateway.fetch(`/.lictor/api/v1/runs?text=${text}`, { session: own })).text();
    expect(await ask(`${teams.b.mark}-foreign`)).toBe(await ask('no-such-run'));
  });

  it('shows a reader with a scope its own runs only', async () => {
    const { open, teams } = stack();
    const own = await open('operator', `/runs/${run}`);
    await rowOf(own, 'Who asked').waitFor();
    const list = await open('operator', '/runs');
    await list.getByRole('table', { name: 'Runs' }).waitFor();
    expect(await list.textContent('main')).not.toContain(teams.b.mark);
    const other = await open('operator', `/runs/${foreign}`);
    await other.getByRole('alert').waitFor();
    expect(await other.textContent('main')).not.toContain(teams.b.mark);
  });

  it('shows an auditor the run without names of Prefect', async () => {
    const page = await stack().open('auditor', `/runs/${run}`);
    await rowOf(page, 'Who asked').waitFor();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(run);
    expect(await page.textContent('main')).not.toContain('<img');
  });
}

function rowOf(page: Page, words: string) {
  return page.getByRole('row').filter({ hasText: words }).first();
}

function json(body: object, headers = {}): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** By the admin, through the gateway. */
async function started({ gateway, accounts }: Stack, { deployment }: Team, name: string): Promise<string> {
  const session = await gateway.login(accounts.admin);
  const answer = await gateway.fetch(`/api/deployments/${deployment}/create_flow_run`, { session, ...json({ name }) });
  const body = await answer.text();
  if (answer.status !== 201) throw new Error(`the run ${name} was not created: ${answer.status} ${body}`);
  return text(field(JSON.parse(body), 'id'));
}

async function setState({ gateway }: Stack, run: string, type: string, token: string): Promise<void> {
  const answer = await gateway.fetch(`/api/flow_runs/${run}/set_state`, { token, ...json({ state: { type }, force: true }) });
  expect(answer.status).toBeLessThan(300);
}

async function taskOf({ server }: Stack, run: string): Promise<string> {
  return text(field(await server.post('/task_runs/', { flow_run_id: run, task_key: 'split', dynamic_key: '0', name: 'split-0' }), 'id'));
}
