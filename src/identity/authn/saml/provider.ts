// A SAML 2.0 identity provider that people log in at. Lictor is the service provider (Web Browser SSO and Single Logout profiles).
import type { SamlProvider } from '../../../config/config.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { Identity } from '../../../contract/identity.ts';
import type { Marks } from '../../../store/marks.ts';
import { wordOf } from '../access-token/trust.ts';
import {
  type BeginRequest,
  type Begun,
  type ExternalProvider,
  freshlyProven,
  knownIdentity,
  type LeaveForm,
  type LogoutAsked,
  type LogoutAt,
  type NotProven,
  notProven,
  type Proven,
  type SamlSide,
} from '../external/provider.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import type { Assertion } from './assertion.ts';
import type { OwnSide } from './messages.ts';
import type { IdpMetadata } from './metadata.ts';
import type { MetadataSource } from './metadata-source.ts';
import { SKEW_MS } from './names.ts';
import { type AttemptSecret, parseSecret, parseStored, renderSecret, renderStored } from './stored-subject.ts';

export interface SamlParts {
  readonly config: SamlProvider;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly marks: Pick<Marks, 'once'>;
  /** `https://prefect.example.com/.lictor/saml/adfs`: Lictor's URLs for this provider are below it. */
  readonly ownUrl: string;
  /** The signer of Lictor's messages, PEM. */
  readonly signer: () => Promise<Pick<OwnSide, 'certificate' | 'key'>>;
}

type Protocol = typeof import('./protocol.ts');

/** The parts that need the XML code, which is loaded once. */
interface Loaded {
  readonly protocol: Protocol;
  readonly metadata: MetadataSource;
  readonly own: OwnSide;
}

interface Inside extends SamlParts {
  readonly load: () => Promise<Loaded>;
}

export interface SamlExternalProvider extends ExternalProvider {
  readonly saml: SamlSide;
}

export function createSamlProvider(parts: SamlParts): SamlExternalProvider {
  const inside: Inside = { ...parts, load: loader(parts) };
  const finish = (params: URLSearchParams, asked: AttemptSecret | null): Promise<Proven | NotProven> => orFailed(() => prove(inside, params, asked));
  return {
    idp: parts.config.id,
    word: wordOf(parts.config),
    begin: (attempt) => orFailed(() => begin(inside, attempt)),
    finish: ({ params, secret }) => finish(params, parseSecret(secret)),
    asksWithinMs: null,
    // Lictor does not ask about sessions that began here. Sessions of an older release have their end in `refreshAfterMs`.
    confirm: async () => ({ state: 'ended', isRefused: false, reason: 'session-expired', detail: 'the end that the provider gave it has come' }),
    leave: (stored) => leave(inside, stored),
    loggedOut: async () => notProven('logout-token-invalid', 'a SAML provider sends no logout tokens'),
    status: async () => ({ metadata: (await inside.load()).metadata.status(), keys: null }),
    async ready() {
      await (await inside.load()).metadata.current();
      return true;
    },
    saml: {
      ownMetadata: () => ownMetadata(inside),
      finishUnasked: async (params) =>
        parts.config.idpInitiated ? await finish(params, null) : notProven('login-unknown', 'the gateway did not ask for this login, and idp_initiated is off'),
      logoutAsked: (message) => orFailed(() => logoutAsked(inside, message)),
    },
  };
}

function loader(parts: SamlParts): () => Promise<Loaded> {
  let loaded: Promise<Loaded> | undefined;
  const load = async (): Promise<Loaded> => {
    const [protocol, signer] = await Promise.all([import('./protocol.ts'), parts.signer()]);
    const own = { entityId: `${parts.ownUrl}/metadata`, acsUrl: `${parts.ownUrl}/acs`, logoutUrl: `${parts.ownUrl}/logout`, ...signer };
    return { protocol, own, metadata: protocol.createMetadataSource(parts) };
  };
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}

/** Rejects if the metadata cannot be read or is not usable. Any other error is a defect. */
async function orFailed<T>(work: () => Promise<T>): Promise<T | NotProven> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OutboundError) return notProven('idp-unavailable', error.message);
    if (error instanceof Error && error.name === 'SamlError') return notProven('idp-misconfigured', error.message);
    throw error;
  }
}

async function begin({ load }: Inside, { state, asOtherPrincipal, isFresh = false }: BeginRequest): Promise<Begun> {
  const { protocol, own, metadata } = await load();
  const { location, requestId } = await protocol.loginRequest(own, await metadata.current(), { state, again: asOtherPrincipal || isFresh });
  return { ok: true, location, secret: renderSecret({ requestId, isFresh }) };
}

async function ownMetadata({ load }: Inside): Promise<string> {
  const { protocol, own } = await load();
  return protocol.renderOwnMetadata(own);
}

/** Each assertion counts once, for any attempt. The mark is set last, so that only a valid one leaves a mark. */
async function prove(inside: Inside, params: URLSearchParams, asked: AttemptSecret | null): Promise<Proven | NotProven> {
  const { load, config, clock, marks } = inside;
  const { protocol, own, metadata } = await load();
  const [encoded, ...others] = params.getAll('SAMLResponse');
  if (encoded === undefined || others.length > 0) return notProven('login-answer-invalid', 'the answer has not one SAMLResponse');
  const expected = { audience: own.entityId, acsUrl: own.acsUrl, requestId: asked?.requestId ?? null, nowMs: clock() };
  const read = await withNewerKeys(metadata, (idp) => protocol.readResponse(encoded, { ...expected, idp }));
  if (!read.ok) return read;
  const { assertion } = read;
  const known = knownIdentity(protocol.identityOf(assertion, config));
  if (!known.ok) return known;
  const proof = { ...provenBy(assertion, known.identity), ...known };
  const checked = asked?.isFresh === true ? freshlyProven(proof, clock()) : { ...proof, authenticatedMs: null };
  if (!checked.ok) return checked;
  if (!(await marks.once('saml assertion', `${config.id} ${assertion.id}`, assertion.usableUntilMs + 2 * SKEW_MS, assertion.issuedMs))) {
    return notProven('assertion-replayed', 'its ID was used before');
  }
  return checked;
}

function provenBy({ nameId, sessionIndex, authenticatedMs, sessionEndsMs }: Assertion, identity: Identity): Proven {
  const stored = renderStored({ nameId, sessionIndex });
  return { ok: true, identity, idpSession: sessionIndex, stored, refreshAfterMs: null, authenticatedMs, sessionEndsMs };
}

/** Reads the metadata again, in case the provider has changed its key. */
async function withNewerKeys<T extends { readonly ok: boolean }>(metadata: MetadataSource, read: (idp: IdpMetadata) => T | Promise<T>): Promise<T> {
  const current = await metadata.current();
  const first = await read(current);
  const newer = first.ok ? undefined : await metadata.newer(current);
  return newer === undefined ? first : await read(newer);
}

async function logoutAsked(inside: Inside, { message, relayState }: LogoutAsked): Promise<LogoutAt | NotProven> {
  const { load, config, clock, marks } = inside;
  const { protocol, own, metadata } = await load();
  const read = await withNewerKeys(metadata, (idp) => protocol.readLogout(message, { idpId: config.id, idp, logoutUrl: own.logoutUrl, clock, marks }));
  if (!read.ok) return read;
  const idp = await metadata.current();
  const { requestId, subject, sessionIndexes } = read;
  const url = idp.logoutAnswerUrl;
  const answerLocation = url === null ? null : await protocol.logoutAnswer(own, idp, { url, requestId, relayState });
  return { ok: true, subject, sessionIndexes, answerLocation };
}

/** A form that is sent in the URL (HTTP-Redirect): the message names the session and is not a credential. */
async function leave({ load }: Inside, stored: string | undefined): Promise<LeaveForm | undefined> {
  if (stored === undefined) return undefined;
  const { protocol, own, metadata } = await load();
  const idp = await metadata.current().catch(() => undefined);
  if (idp === undefined || idp.logoutUrl === null) return undefined;
  const url = new URL(await protocol.logoutRequest(own, idp, { url: idp.logoutUrl, ...parseStored(stored) }));
  return { method: 'get', action: `${url.origin}${url.pathname}`, fields: Object.fromEntries(url.searchParams) };
}
