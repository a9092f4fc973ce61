// One gateway, Prefect and browser for all walks through the console, with a person for each role.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';
import type { Session } from '../../env/browser-session.ts';
import { startBrowser, type TestBrowser } from '../../env/chromium.ts';
import { type Account, type Gateway, startGateway } from '../../env/gateway.ts';
import { type Direct, directTo, sharedPrefect } from '../../env/prefect.ts';
import { makeTeams, scopeArguments, type Team } from '../../env/teams.ts';
import { watchPage } from './watch.ts';

/** The operator has the objects of team A only. */
export type Role = 'admin' | 'operator' | 'auditor' | 'viewer';

export interface Stack {
  readonly gateway: Gateway;
  readonly server: Direct;
  readonly browser: TestBrowser;
  readonly teams: { readonly a: Team; readonly b: Team };
  readonly accounts: Readonly<Record<Role, Account>>;
  /** A signed-in person at an address of the console, such as `/search?q=alice`. The page is closed after the test. */
  open(role: Role, path: string, options?: OpenOptions): Promise<Page>;
  /** What any page did that no page may do, since the last call: reports of the policy, requests elsewhere, errors. */
  misdeeds(): readonly string[];
  closePages(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly theme?: 'light' | 'dark';
  /** Pixels. 320 is what 400 % zoom leaves of 1280. */
  readonly width?: number;
}

const CONFIG = (policies: string) => ({
  policies,
  identity_providers: [{ id: 'local', type: 'accounts' }],
  agents: [{ name: 'copilot', sponsor: 'user:admin@local', credential: 'token', roles: [{ role: 'agent' }], taint: 'allow' }],
  approvals: [{ name: 'agent-runs', principals: ['agent:*'], actions: ['deployments.run'], approvers: 'sponsor' }],
});

const YOUNG_MS = 120_000;

export async function startStack(): Promise<Stack> {
  const server = directTo(sharedPrefect());
  const policies = mkdtempSync(join(tmpdir(), 'lictor-console-policies-'));
  const [gateway, browser, teams] = await Promise.all([
    startGateway({ upstream: sharedPrefect(), config: CONFIG(policies) }),
    startBrowser(),
    makeTeams(server),
  ]);
  const account = async (role: Role) => [role, await gateway.account(role, role, ...(role === 'operator' ? scopeArguments(teams.a) : []))] as const;
  const accounts = Object.fromEntries([
    await account('admin'),
    await account('operator'),
    await account('auditor'),
    await account('viewer'),
  ]) as Stack['accounts'];
  const misdeeds: string[] = [];
  const contexts = new Map<Role, BrowserContext>();
  const sessions = new Map<Role, { readonly session: Session; readonly atMs: number }>();
  /** A password costs much CPU time by intent. Young enough for a change, and not ended by a test. */
  const sessionOf = async (role: Role): Promise<Session> => {
    const known = sessions.get(role);
    if (known !== undefined && Date.now() - known.atMs < YOUNG_MS && (await gateway.fetch('/.lictor/api/v1/me', { session: known.session })).status === 200)
      return known.session;
    const session = await gateway.login(accounts[role]);
    sessions.set(role, { session, atMs: Date.now() });
    return session;
  };
  return {
    ...{ gateway, server, browser, teams, accounts },
    async open(role, path, { theme = 'light', width = 1280 } = {}) {
      const context = contexts.get(role) ?? (await browser.person());
      contexts.set(role, context);
      const { cookie } = await sessionOf(role);
      const [name = '', value = ''] = cookie.split(/=(.*)/s);
      await context.addCookies([{ name, value, url: gateway.url }]);
      const page = await context.newPage();
      watchPage(page, gateway.url, misdeeds);
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width, height: 900 });
      await page.goto(`${gateway.url}/.lictor/console${path}`);
      return page;
    },
    misdeeds: () => misdeeds.splice(0),
    closePages: async () => {
      await Promise.all([...contexts.values()].map(leave));
    },
    async close() {
      await browser.close();
      await gateway.close();
      rmSync(policies, { recursive: true });
    },
  };
}

/** The files of the console stay in its cache: to load them anew costs most of what a page costs. All else that it stores ends with its pages. */
async function leave(context: BrowserContext): Promise<void> {
  await Promise.all(context.pages().map((page) => page.close()));
  await context.clearCookies();
}

/** Violations of WCAG 2.2 A and AA, each with the first elements: must be empty. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations: all }: AxeResults = await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(LEVELS)} })`);
  return all.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`.slice(0, 800));
}

const LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
