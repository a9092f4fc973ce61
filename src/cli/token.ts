// `lictor token`: service tokens. Works on the store's file, also while the gateway is down.
import type { Command } from 'commander';
import { meantWords } from '../config/suggest.ts';
import { systemClock } from '../contract/clock.ts';
import { parseNetwork } from '../identity/authn/service-token/networks.ts';
import { accessTokenJson } from '../identity/manage/access-token-json.ts';
import { liveTokens } from '../identity/manage/lock-target.ts';
import {
  confirmServiceToken,
  createServiceToken,
  DEFAULT_OVERLAP_MS,
  rightsProblem,
  rotateServiceToken,
  TOKEN_NAME,
  type TokenChange,
  type TokenParts,
  type TokenRights,
} from '../identity/manage/service-tokens.ts';
import { type TokenJson, tokenJson } from '../identity/manage/token-json.ts';
import type { StoredAccessToken } from '../store/access-tokens.ts';
import type { StoredToken } from '../store/tokens.ts';
import { type AdminSession, collectRole, completeRemoval, makeItHold, recordFirst, withNewStore, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { endLogin, listLogins } from './logins.ts';
import { durationOf } from './option-values.ts';
import { collectScope, SCOPE_HELP, scopeOf } from './scope.ts';
import { renderAccessTokens, renderNewSecret, renderTokens } from './token-text.ts';

const DEFAULT_OVERLAP = '24h';

interface CreateOptions {
  readonly role?: readonly string[];
  readonly cidr?: readonly string[];
  readonly expires?: number;
  readonly json?: boolean;
  readonly scope?: readonly string[];
  readonly pool?: readonly string[];
}

export function register(program: Command, context: CliContext): void {
  const token = program
    .command('token')
    .description('manage service tokens for workers, CI and other programs')
    .addHelpText('after', '\nExample:\n  lictor token create etl-worker --role worker --expires 90d\n  lictor token rotate etl-worker --overlap 24h\n');
  registerCreate(token, context);
  token
    .command('list')
    .description('list the tokens, without their secrets')
    .option('--access', 'instead: the short tokens that were exchanged and are still live')
    .option('--logins', 'instead: the live logins of the command line and of OAuth clients')
    .option('--json', 'one array of objects')
    .addHelpText('after', '\nExample:\n  lictor token list\n  lictor token list --logins\n')
    .action((options: ListOptions) => withStore(context, (session) => list(context, session, options)));
  token
    .command('rotate <name>')
    .description('issue a new secret with the same roles and lifetime; the old one stays valid for the overlap, an older one ends at once')
    .option('--overlap <duration>', `how long the old secret stays valid: 0s ends it at once (default: ${DEFAULT_OVERLAP})`, parseOverlap)
    .option('--json', 'one object with the secret')
    .addHelpText('after', '\nExample:\n  lictor token rotate etl-worker --overlap 1h\n')
    .action((name: string, options: { overlap?: number; json?: boolean }) =>
      withStore(context, (session) => rotateToken(context, session, { name, ...options })),
    );
  token
    .command('confirm <name...>')
    .description('accept tokens of a restored backup again: confirm only those that were neither revoked nor rotated since')
    .addHelpText('after', '\nExample:\n  lictor token confirm etl-worker ci\n')
    .action((names: readonly string[]) => withStore(context, (session) => confirmTokens(context, session, names)));
  token
    .command('revoke <what>')
    .description(
      'revoke a token by NAME, a login or exchanged token by ID, or all exchanged tokens of NAME@IDP: denies the next request, closes open sockets, and rejects the runs that depend on it',
    )
    .addHelpText('after', '\nExample:\n  lictor token revoke etl-worker\n  lictor token revoke arn:aws:iam::123456789012:role/etl@aws\n')
    .action((name: string) => withStore(context, (session) => revokeToken(context, session, name)));
}

function registerCreate(token: Command, context: CliContext): void {
  token
    .command('create <name>')
    .description('create a token and print its secret, once')
    .option('--role <role>', 'what it may do; repeatable; needed unless NAME is an agent', collectRole)
    .option('--cidr <network>', 'where it may be used from: 10.0.0.0/8; repeatable', collectCidr)
    .option('--expires <duration>', 'when it ends: 24h, 90d (default: never)', durationOf('--expires'))
    .option('--json', 'one object with the secret')
    .option('--scope <scope>', SCOPE_HELP, collectScope)
    .option('--pool <pool>', 'the same as --scope work_pool=POOL; repeatable', collectScope)
    .addHelpText(
      'after',
      '\nExample:\n  lictor token create etl-worker --role worker --pool pool-a --cidr 10.0.0.0/8 --expires 90d\n  lictor token create ci --role operator --scope tag=team-a\n  lictor token create copilot\n',
    )
    .action((name: string, options: CreateOptions) => {
      if (!TOKEN_NAME.test(name))
        throw new UsageError(`${JSON.stringify(name)} is no name for a token: letters, digits, dot, dash and underscore, at most 64.`);
      return withNewStore(context, (session) => createToken(context, session, { ...options, name }));
    });
}

async function createToken(context: CliContext, session: AdminSession, options: CreateOptions & { readonly name: string }): Promise<void> {
  const { name, cidr: cidrs = [], expires = null } = options;
  const secret = await issueToken(session, { name, ...rightsOf(session, options), cidrs, lifetimeMs: expires });
  await printSecret(context, session, { name, secret, json: options.json });
}

/** Records and stores a new token; returns its secret, which nothing else holds. Throws LictorError `token-name-taken`. */
export function issueToken(session: AdminSession, token: TokenRights): Promise<string> {
  return createServiceToken(tokenParts(session), token);
}

function tokenParts(session: AdminSession): TokenParts {
  const { store, config } = session;
  const record = async ({ action, name, grants }: TokenChange) => recordFirst(session, { action, resourceType: 'ServiceToken', resourceId: name, grants });
  return { store, config, clock: systemClock, record };
}

/** The roles of an agent are in lictor.yaml. */
function rightsOf({ config }: AdminSession, options: CreateOptions & { readonly name: string }): Pick<StoredToken, 'roles' | 'scope'> {
  const { name } = options;
  const rights = { roles: options.role ?? [], scope: scopeOf(options) };
  const problem = rightsProblem({ name, ...rights }, config);
  if (problem === 'role-needed') throw new UsageError(`--role is needed: lictor.yaml has no agent ${name} with credential: token.`);
  if (problem === 'roles-of-agent')
    throw new UsageError(`${name} is an agent: its roles and their scopes are in lictor.yaml. Leave --role, --scope and --pool out.`);
  return rights;
}

async function rotateToken(
  context: CliContext,
  session: AdminSession,
  options: { readonly name: string; readonly overlap?: number; readonly json?: boolean },
): Promise<void> {
  const token = await existing(session, options.name);
  const secret = await rotateServiceToken(tokenParts(session), { token, overlapMs: options.overlap ?? DEFAULT_OVERLAP_MS });
  if (secret === undefined) throw await unknown(options.name, session.store);
  try {
    await makeItHold(context, session);
  } finally {
    // The old secret expires, so the new one must be printed even after an error.
    await printSecret(context, session, { name: token.name, secret, json: options.json });
  }
}

/** All names are known before one is confirmed. */
async function confirmTokens(context: CliContext, session: AdminSession, names: readonly string[]): Promise<void> {
  const tokens = [];
  for (const name of names) tokens.push(await existing(session, name));
  for (const token of tokens) {
    const isConfirmed = await confirmServiceToken(tokenParts(session), token);
    context.out.write(isConfirmed ? `Token ${token.name} is confirmed.\n` : `Token ${token.name} needs no confirmation.\n`);
  }
  await makeItHold(context, session);
}

async function revokeToken(context: CliContext, session: AdminSession, name: string): Promise<void> {
  if ((await revokeAccessTokens(context, session, name)) || (await endLogin(context, session, name))) return;
  const token = await existing(session, name);
  if (!(await session.store.tokens.revoke(token.id))) throw await unknown(name, session.store);
  await completeRemoval(context, session, { action: 'token.revoke', resourceType: 'ServiceToken', resourceId: token.name });
  context.out.write(`Token ${token.name} is revoked.\n`);
}

/** One token by its id, or all tokens of a principal. False: none has this id. */
async function revokeAccessTokens(context: CliContext, session: AdminSession, idOrPrincipal: string): Promise<boolean> {
  const { accessTokens } = session.store;
  const at = idOrPrincipal.lastIndexOf('@');
  const { tokens, runs } =
    at > 0
      ? await accessTokens.revokeOf(idOrPrincipal.slice(at + 1), idOrPrincipal.slice(0, at))
      : { tokens: Number(await accessTokens.revoke(idOrPrincipal)), runs: 0 };
  if (at > 0 && tokens + runs === 0)
    throw new CommandFailed('That principal has no live access token, and no run. lictor token list --access shows the tokens.');
  if (tokens + runs === 0) return false;
  await completeRemoval(context, session, { action: 'token.revoke', resourceType: 'AccessToken', resourceId: idOrPrincipal });
  const also = runs === 0 ? '' : `, and the tokens of ${runs === 1 ? '1 run' : `${runs} runs`}`;
  context.out.write(`${tokens} access ${tokens === 1 ? 'token is' : 'tokens are'} revoked${also}.\n`);
  return true;
}

interface ListOptions {
  readonly access?: boolean;
  readonly logins?: boolean;
  readonly json?: boolean;
}

async function list(context: CliContext, session: AdminSession, { access, logins, json = false }: ListOptions): Promise<void> {
  const { store } = session;
  if (access === true && logins === true) throw new UsageError('Take one of --access and --logins.');
  if (logins === true) return listLogins(context, session, json);
  if (access === true) return listAccessTokens(context, await store.accessTokens.live(), json);
  const tokens = await store.tokens.list();
  const now = { agents: session.config.agents, nowMs: systemClock() };
  listTokens(
    context,
    tokens.map((token) => tokenJson(token, now)),
    json,
  );
}

function listAccessTokens(context: CliContext, tokens: readonly StoredAccessToken[], json: boolean): void {
  if (json) context.out.write(`${JSON.stringify(tokens.map(accessTokenJson))}\n`);
  else context.out.write(tokens.length === 0 ? 'No live access tokens.\n' : renderAccessTokens(tokens, context));
}

function listTokens(context: CliContext, tokens: readonly TokenJson[], json: boolean): void {
  if (json) context.out.write(`${JSON.stringify(tokens)}\n`);
  else context.out.write(tokens.length === 0 ? 'No tokens. lictor token create NAME --role ROLE makes one.\n' : renderTokens(tokens, context));
}

interface Made {
  readonly name: string;
  readonly secret: string;
  readonly json: boolean | undefined;
}

/** Prints the secret with the token's current data from the store. */
async function printSecret({ out }: CliContext, session: AdminSession, { name, secret, json }: Made): Promise<void> {
  const token = tokenJson(await existing(session, name), { agents: session.config.agents, nowMs: systemClock() });
  out.write(renderNewSecret({ token, secret, config: session.config }, json === true ? 'json' : 'text'));
}

/** By name, or by the id in lists and records. */
async function existing({ store }: AdminSession, nameOrId: string): Promise<StoredToken> {
  const token = (await store.tokens.byName(nameOrId)) ?? (await store.tokens.byId(nameOrId));
  if (token === undefined || token.revokedMs !== null) throw await unknown(nameOrId, store);
  return token;
}

/** The message quotes only valid names, because other text may be a pasted secret. */
async function unknown(name: string, store: AdminSession['store']): Promise<CommandFailed> {
  const isName = TOKEN_NAME.test(name);
  const meant = isName ? meantWords(name, await liveTokens(store)) : '';
  return new CommandFailed(`There is no live token ${isName ? name : 'of that name'}.${meant} lictor token list shows them.`);
}

function collectCidr(text: string, before: readonly string[] = []): readonly string[] {
  if (parseNetwork(text) === undefined) throw new UsageError(`--cidr ${text}: write a network or an address: 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7.`);
  return [...before, text];
}

function parseOverlap(text: string): number {
  return /^0(?:ms|s|m|h|d)?$/.test(text) ? 0 : durationOf('--overlap', ' Or 0s: the old secret ends at once.')(text);
}
