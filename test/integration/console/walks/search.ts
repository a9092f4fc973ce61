// Who did what: search by words and keys, one record, follow, and what a reader with a scope sees.
import { expect, it } from 'vitest';
import { API_ROUTES } from '../../../../src/edge/http/api/routes.ts';
import { type Stack, violations } from '../stack.ts';

const API = '/.lictor/api/v1';
const FOLLOWED = 60;

export function walkSearch(stack: () => Stack): void {
  const rows = (page: Awaited<ReturnType<Stack['open']>>) => page.getByRole('grid', { name: 'Records' }).locator('tbody tr');

  it('finds a denied request by keys alone, opens its record, and goes back', async () => {
    const { gateway, teams, accounts } = stack();
    const session = await gateway.login(accounts.viewer);
    await gateway.fetch(`/api/flow_runs/${teams.a.finishedRun}`, { method: 'DELETE', session, headers: { 'user-agent': '<img onerror=alert(1)>' } });
    await gateway.lictorOk('audit', '--decision', 'deny', '--last', '1');
    const page = await stack().open('admin', '/search');
    await rows(page).first().waitFor();
    await page.getByRole('status').filter({ hasText: 'newest records intact' }).waitFor();
    await page.getByRole('combobox', { name: 'Search the records' }).focus();
    await page.keyboard.type('prin');
    await page.getByRole('option', { name: 'principal:' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.type('viewer decision:deny action:flow_runs.delete');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.searchParams.get('q') === 'principal:viewer decision:deny action:flow_runs.delete');
    await rows(page).first().waitFor();
    expect(await rows(page).count()).toBe(1);
    await page.getByRole('grid', { name: 'Records' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const panel = page.getByRole('region', { name: 'Record', exact: true });
    await panel.getByText('policy-default-deny').first().waitFor();
    expect(await panel.textContent()).toMatch(/viewer@local was denied flow_runs\.delete/);
    expect(await panel.getByRole('region', { name: 'Explanation' }).getByRole('paragraph').first().textContent()).toMatch(
      /^viewer@local has only the role viewer; viewer does not permit this\./,
    );
    expect(await panel.textContent()).toContain('<img onerror=alert(1)>');
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'search-record');
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    await page.goBack();
    await panel.waitFor();
  });

  it.each(['light', 'dark'] as const)('shows the records, %s, and on a small screen', async (theme) => {
    const page = await stack().open('auditor', '/search', { theme });
    await rows(page).first().waitFor();
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, `search-${theme}`);
    await page.setViewportSize({ width: 375, height: 800 });
    await rows(page).first().waitFor();
    await stack().browser.shoot(page, `search-${theme}-375`);
  });

  it('says what is wrong with a query, and what to do about an empty answer', async () => {
    const page = await stack().open('auditor', '/search?q=prinicpal:x');
    await page.getByText('Did you mean principal:?').waitFor();
    await page.goto(`${stack().gateway.url}/.lictor/console/search?q=object:nothing-of-this-name`);
    await page.getByText('No record fits.').waitFor();
    await stack().browser.shoot(page, 'search-empty');
  });

  it('follows: every record that the ledger has arrives once', async () => {
    const { gateway, accounts, teams } = stack();
    const session = await gateway.login(accounts.admin);
    const page = await stack().open('admin', `/search?q=object:${teams.b.deployment}&follow=1`);
    await page.getByRole('button', { name: 'Following' }).waitFor();
    await Promise.all(Array.from({ length: FOLLOWED }, () => gateway.fetch(`/api/deployments/${teams.b.deployment}`, { session })));
    const text = await gateway.lictorOk('audit', '--resource', teams.b.deployment, '--json');
    const ids = text
      .trimEnd()
      .split('\n')
      .map((line) => String(JSON.parse(line).id));
    expect(ids.length).toBeGreaterThanOrEqual(FOLLOWED);
    await page.locator(`table[role=grid][aria-rowcount="${ids.length + 1}"]`).waitFor();
  });

  it("shows a team's operator no name of the other team, in the view and over every route", async () => {
    const { gateway, accounts, teams } = stack();
    const session = await gateway.login(accounts.admin);
    for (const team of [teams.a, teams.b]) {
      for (const path of [
        `/flow_runs/${team.finishedRun}`,
        `/deployments/${team.deployment}`,
        `/work_pools/${team.pool}`,
        `/variables/name/${team.variableName}`,
      ])
        await gateway.fetch(`/api${path}`, { session });
    }
    await gateway.lictorOk('audit', '--resource', teams.b.finishedRun, '--last', '1');
    const page = await stack().open('operator', '/search?q=principal:admin');
    await rows(page).filter({ hasText: teams.a.finishedRun }).first().waitFor();
    const seen = await page.locator('body').textContent();
    await stack().browser.shoot(page, 'search-operator');
    const own = await gateway.login(accounts.operator);
    const asked = [teams.b.finishedRun, teams.b.deploymentName];
    const answers = await Promise.all(addresses(asked).map(async (path) => (await gateway.fetch(path, { session: own })).text()));
    // An error repeats the words of the question.
    const texts = [seen ?? '', ...answers].map((text) => asked.reduce((rest, word) => rest.replaceAll(word, ''), text));
    expect(teams.b.secrets.filter((secret) => texts.some((text) => text.includes(secret)))).toEqual([]);
    expect(answers.some((text) => text.includes(teams.a.finishedRun))).toBe(true);
  });
}

/** Every read of the API, also with words of the other team as its filter. A stream has no end. */
function addresses(words: readonly string[]): readonly string[] {
  const paths = API_ROUTES.filter(({ method, path, mediaType }) => method === 'GET' && mediaType !== 'text/event-stream' && path !== '/openapi.json');
  const named = paths.flatMap(({ path }) => (path.includes('{') ? words.map((word) => path.replaceAll(/\{\w+\}/g, word)) : [path]));
  const filters = ['flow_run_id', 'deployment_id', 'text', 'q'].flatMap((name) => words.map((word) => `/audit?${name}=${word}`));
  return [...named, ...filters].map((path) => `${API}${path}`);
}
