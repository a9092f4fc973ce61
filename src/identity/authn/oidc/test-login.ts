// A login that only shows who a person is, and which claims of the provider hold groups. Nothing is stored.
import * as openid from 'openid-client';
import type { Identity } from '../../../contract/identity.ts';
import type { BeginRequest, Begun, NotProven, ProviderAnswer } from '../external/provider.ts';
import { groupLists } from './claims.ts';
import { createDiscovery } from './client.ts';
import { failureOf } from './failure.ts';
import { type Given, prove } from './proof.ts';
import { begin, type LoginParts, type OidcParts, orFailed, redeem } from './provider.ts';

export interface TestLogin {
  /** Undefined: the provider or its client has no device flow (RFC 8628). */
  device(): Promise<DeviceLogin | undefined>;
  begin(attempt: BeginRequest): Promise<Begun | NotProven>;
  finish(answer: ProviderAnswer): Promise<Person | NotProven>;
}

export interface DeviceLogin {
  /** For the browser of any machine. */
  readonly page: string;
  readonly userCode: string;
  /** Resolves when the person has logged in, refuses, or lets the code expire. */
  finish(): Promise<Person | NotProven>;
}

export interface Person {
  readonly ok: true;
  /** By the configured claim of groups. */
  readonly identity: Identity;
  /** The provider has groups and sent none: too many. */
  readonly isOverage: boolean;
  /** Each claim that is a list of names, as a path for `groups_claim`. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

type Inside = LoginParts & Pick<OidcParts, 'clock'>;

export function createTestLogin(parts: Omit<OidcParts, 'marks'>): TestLogin {
  const inside: Inside = { ...parts, ...createDiscovery(parts) };
  return {
    device: () => device(inside).catch(notOffered),
    begin: (attempt) => orFailed(() => begin(inside, attempt)),
    finish: (answer) =>
      orFailed(async () => {
        const redeemed = await redeem(inside, answer);
        return redeemed.ok ? await personOf(inside, redeemed.tokens) : redeemed;
      }),
  };
}

async function device(inside: Inside): Promise<DeviceLogin | undefined> {
  const { configuration, metadata } = await inside.client();
  if (metadata.device_authorization_endpoint === undefined) return undefined;
  const verifier = openid.randomPKCECodeVerifier();
  const challenge = { code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' };
  const parameters = { scope: inside.config.scopes.join(' '), ...challenge };
  const begun = await openid.initiateDeviceAuthorization(configuration, parameters);
  return {
    page: begun.verification_uri_complete ?? begun.verification_uri,
    userCode: begun.user_code,
    finish: () => orFailed(async () => personOf(inside, await openid.pollDeviceAuthorizationGrant(configuration, begun, { code_verifier: verifier }))),
  };
}

async function personOf(inside: Inside, tokens: Given['tokens']): Promise<Person | NotProven> {
  const client = await inside.client();
  const proof = await prove(inside, client, { tokens, former: undefined });
  if (!proof.ok) return proof;
  const { identity, groupsMissing } = proof;
  const fromUserinfo = client.metadata.userinfo_endpoint !== undefined && openid.fetchUserInfo(client.configuration, tokens.access_token, identity.subject);
  const claims = { ...((await fromUserinfo) || {}), ...tokens.claims() };
  return { ok: true, identity, isOverage: groupsMissing !== undefined, lists: groupLists(claims) };
}

/** Many clients may not use the device flow. Throws anything but a failure of the provider. */
function notOffered(error: unknown): undefined {
  failureOf(error);
  return undefined;
}
