// The test login of `lictor init`: a person logs in once, so that init sees which claim holds which groups. Nothing is stored.
import { randomBytes } from 'node:crypto';
import type { OidcProvider } from '../config/config.ts';
import { isLoopback } from '../config/sections/public-url.ts';
import { type NotProven, notProven } from '../identity/authn/external/provider.ts';
import type { DeviceLogin, Person, TestLogin } from '../identity/authn/oidc/test-login.ts';
import { createOutbound } from '../identity/authn/outbound.ts';
import { ok, type Verdict, warn } from '../operations/doctor/finding.ts';
import { openTestLogin } from '../operations/doctor/outside/oidc-client.ts';
import { type Answers, IDP, memberOf } from '../operations/init/answers.ts';
import { listenForReturn } from '../operations/init/return-listener.ts';
import type { Seen } from '../operations/init/seen.ts';
import type { CliContext } from './context.ts';
import type { Prompter } from './prompter.ts';

export interface LoginSeen extends Seen {
  readonly groups: readonly string[];
  /** Chosen, because the provider sends none of the usual name. */
  readonly groupsClaim: string | undefined;
}

export interface TestLoginParts {
  readonly context: Pick<CliContext, 'out'>;
  /** Undefined: the answers are in a file. */
  readonly prompter: Prompter | undefined;
  /** For the address that only the person at the terminal sees. */
  readonly openPrompter: () => Promise<Prompter>;
  readonly answers: Answers;
  readonly provider: OidcProvider;
  readonly callbackUrl: string;
}

export async function testLogin(parts: TestLoginParts): Promise<LoginSeen> {
  const outbound = createOutbound({ caFile: parts.provider.caFile });
  try {
    const login = openTestLogin(parts.provider, outbound);
    const device = await login.device();
    const person = device === undefined ? await byBrowser(parts, login) : await byDevice(parts, device);
    return person.ok
      ? await seenOf(parts, person)
      : seen([warn(`the test login failed: ${person.detail}`, 'Check the client at the provider, and try again.')]);
  } finally {
    await outbound.close();
  }
}

function seen(now: readonly Verdict[], found: Partial<LoginSeen> = {}): LoginSeen {
  return { now, later: [], groups: [], groupsClaim: undefined, ...found };
}

async function byDevice({ context }: TestLoginParts, { page, userCode, finish }: DeviceLogin): Promise<Person | NotProven> {
  context.out.write(`\nOpen this address in a browser, check that it shows the code, and log in:\n\n    ${page}\n\n    ${userCode}\n\n`);
  return await finish();
}

async function byBrowser(parts: TestLoginParts, login: TestLogin): Promise<Person | NotProven> {
  const { context, callbackUrl } = parts;
  const state = randomBytes(16).toString('base64url');
  const begun = await login.begin({ state, callbackUrl, asOtherPrincipal: false });
  if (!begun.ok) return begun;
  const callback = new URL(callbackUrl);
  const listener = callback.protocol === 'http:' && isLoopback(callback.hostname) ? await listenForReturn(callback, state) : undefined;
  context.out.write(`\nOpen this address in a browser${listener === undefined ? '' : ' of this machine'}, and log in:\n\n    ${begun.location}\n\n`);
  try {
    const params = listener === undefined ? await pasted(parts) : await listener.answer;
    if (params === undefined) return notProven('login-answer-invalid', 'nobody logged in');
    return await login.finish({ params, state, callbackUrl, secret: begun.secret });
  } finally {
    listener?.close();
  }
}

/** The gateway does not run yet, so the browser shows an error, and the answer is in its address. It has a code that counts once. */
async function pasted({ context, prompter, openPrompter, callbackUrl }: TestLoginParts): Promise<URLSearchParams | undefined> {
  context.out.write(`The browser then goes to ${callbackUrl}, which does not answer yet. Copy its whole address.\n`);
  const asked = prompter ?? (await openPrompter());
  try {
    return URL.parse((await asked.secret('Address that the browser shows then (empty: no test login)')).trim())?.searchParams;
  } finally {
    if (asked !== prompter) asked.close();
  }
}

async function seenOf(parts: TestLoginParts, { identity, isOverage, lists }: Person): Promise<LoginSeen> {
  const who = `${identity.name}@${IDP}`;
  if (isOverage)
    return seen([
      warn(`the provider omits the groups of ${who}: too many`, 'docs/how-to/login.md shows how to send fewer, docs/how-to/scim.md needs no claim.'),
    ]);
  const { groupsClaim } = parts.provider;
  if (identity.groups.length > 0) return withGroups(parts, { who, name: identity.name, claim: groupsClaim, groups: identity.groups });
  if (lists.size === 0)
    return seen([warn(`the login of ${who} has no groups`, 'docs/how-to/login.md shows how providers send them. Or name people in admins.')]);
  const shown = [...lists].map(([claim, names]) => `${claim} (${names.slice(0, 8).join(', ')})`).join(', ');
  const chosen = parts.prompter === undefined ? undefined : await chooseClaim(parts.prompter, lists);
  if (chosen === undefined)
    return seen([warn(`the login of ${who} has no groups in the claim ${groupsClaim}, and lists in ${shown}`, 'Name one of them: groups_claim.')]);
  return withGroups(parts, { who, name: identity.name, claim: chosen, groups: lists.get(chosen) ?? [] }, chosen);
}

async function chooseClaim(prompter: Prompter, lists: Person['lists']): Promise<string | undefined> {
  const choices = [...lists].map(([value, names]) => ({ value, label: `${value}: ${names.slice(0, 8).join(', ')}` }));
  const chosen = await prompter.choose('Claim that holds the groups', [{ value: '', label: 'none of these' }, ...choices]);
  return chosen === '' ? undefined : chosen;
}

interface Groups {
  readonly who: string;
  readonly name: string;
  readonly claim: string;
  readonly groups: readonly string[];
}

function withGroups({ answers }: TestLoginParts, { who, name, claim, groups }: Groups, groupsClaim?: string): LoginSeen {
  const members = [`user:${name}@${IDP}`, ...groups.map((group) => `group:${group}@${IDP}`)];
  const isAdmin = answers.admins.some((admin) => members.includes(memberOf(admin, IDP)));
  const later = isAdmin ? [] : [warn(`${who} is not among the admins`, `Log in as one of them: ${answers.admins.join(', ')}.`)];
  const role = isAdmin ? ', and would have the role admin' : '';
  return seen([ok(`${who} has the groups ${groups.join(', ')} (claim ${claim})${role}`)], { groups, groupsClaim, later });
}
