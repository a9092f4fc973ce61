// Request -> principal: the first credential in a fixed order decides. A bad credential never falls through to the next one.
import type { Config } from '../../config/config.ts';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Carrier, Credential } from '../../contract/principal.ts';
import type { Store } from '../../store/store.ts';
import { actingPrincipal } from './agent/acting.ts';
import { createAgents } from './agent/agents.ts';
import { createAgentCredentials } from './agent/credentials.ts';
import { type Presented, presentedCredentials } from './carriers.ts';
import type { InspectCertificate } from './certificate/certificates.ts';
import type { Confirm } from './external/confirm.ts';
import { createFailures } from './failures.ts';
import { identityPrincipal } from './identity/principal.ts';
import { listedOnce, lockOnAddress } from './locks.ts';
import { createRoleBook } from './roles.ts';
import { createTokenVerifier } from './service-token/verify.ts';
import { createSessions } from './session/session.ts';
import { createTouches } from './touches.ts';
import { type Authentication, refuse } from './verdict.ts';

export type { Authentication } from './verdict.ts';

export interface Authenticator {
  /** By the request's headers. Throws only if the store cannot be read: then the caller fails closed. */
  authenticate(inputs: EdgeInputs): Promise<Authentication>;
  /** The same with a socket's first frame, which is last in the order: it decides if the upgrade request carried no credential. */
  authenticateFrame(token: string, inputs: EdgeInputs): Promise<Authentication>;
  /** Resolves when no "last used" write runs: call it before closing the store. */
  idle(): Promise<void>;
}

/** A kind of token that its form identifies, such as a JWT or an access token of Lictor. */
export interface TokenKind {
  /** True if the text has the form of this kind. This verifies nothing. */
  recognises(text: string): boolean;
  verify(text: string, carrier: Carrier, inputs: EdgeInputs): Promise<Authentication>;
}

export interface AuthenticatorParts {
  readonly store: Pick<Store, 'tokens' | 'sessions' | 'locks' | 'accounts' | 'identities'>;
  readonly config: Pick<Config, 'identityProviders' | 'roles' | 'sessions' | 'agents'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** Further kinds of tokens. A text that none of them recognises is verified as a service token. */
  readonly verifiers?: readonly TokenKind[];
  /** Asks the providers of sessions that are due. Left out: it asks none. */
  readonly confirm?: Confirm;
  /** Client certificates. Null or left out: Lictor accepts none. */
  readonly certificates?: InspectCertificate | null;
  /** Called when an address continues to guess credentials, once a minute for each address. */
  readonly onGuessing?: (address: string) => void;
  /** Called when "last used" could not be written. */
  readonly onError?: (error: unknown) => void;
}

export function createAuthenticator(parts: AuthenticatorParts): Authenticator {
  const { store, config, clock } = parts;
  const touches = createTouches(parts.onError ?? ignore);
  const failures = createFailures(parts.steady, parts.onGuessing ?? ignore);
  const roleBook = createRoleBook(config.roles);
  const agents = createAgents({ store, config, clock });
  const verifyOwn = createTokenVerifier({ tokens: store.tokens, roleBook, agents: createAgentCredentials(config.agents), touches, clock });
  const sessions = createSessions({
    store: store.sessions,
    providers: config.identityProviders,
    limits: config.sessions,
    roleBook,
    touches,
    clock,
    ...(parts.confirm !== undefined && { confirm: parts.confirm }),
  });

  const verifyToken = (text: string, carrier: Carrier, inputs: EdgeInputs): Promise<Authentication> => {
    const verifier = (parts.verifiers ?? []).find((candidate) => candidate.recognises(text));
    return verifier === undefined ? verifyOwn(text, carrier, inputs) : verifier.verify(text, carrier, inputs);
  };

  const verifyCertificate = (escaped: string): Authentication => {
    const inspected = parts.certificates?.(escaped);
    if (inspected === undefined) return refuse('certificate-refused');
    if (!inspected.ok) return refuse(inspected.reason, inspected.credentialId);
    const { identity, credentialId, expiresAtMs } = inspected;
    const credential: Credential = { id: credentialId, carrier: 'certificate', expiresAtMs, sessionId: null, alsoPresented: [] };
    return { ok: true, principal: identityPrincipal(identity, roleBook), credential };
  };

  const verify = (presented: Presented, inputs: EdgeInputs): Promise<Authentication> => {
    if (presented.carrier === 'session') return sessions.verify(presented.cookieValue, inputs.address);
    if (presented.carrier === 'certificate') return Promise.resolve(verifyCertificate(presented.escaped));
    return presented.token === null ? Promise.resolve(refuse('credential-malformed')) : verifyToken(presented.token, presented.carrier, inputs);
  };

  const decide = async (inputs: EdgeInputs, frameToken: string | null): Promise<Authentication> => {
    const locks = listedOnce(store.locks);
    if ((await lockOnAddress(locks, inputs.address)) !== undefined) return refuse('locked');
    const [first, ...further] = presentedCredentials(inputs, frameToken);
    if (first === undefined) return refuse('credential-missing');
    const verdict = await verify(first, inputs);
    if (!verdict.ok) return { ...verdict, reason: failures.reasonFor(verdict.reason, inputs.address) };
    const { principal, credential } = verdict;
    const acting = await actingPrincipal({ agents, locks, config }, principal, credential);
    const proven = { principal: acting.principal, credential: { ...credential, expiresAtMs: earlier(credential.expiresAtMs, acting.untilMs) } };
    if (!acting.ok) return { ...refuse(acting.reason, credential.id), proven };
    const others = await Promise.all(further.map((presented) => verify(presented, inputs)));
    const alsoPresented = others.flatMap((other) => (other.ok && other.principal.id !== principal.id ? [other.credential.id] : []));
    return { ok: true, ...proven, credential: { ...proven.credential, alsoPresented } };
  };

  return {
    authenticate: (inputs) => decide(inputs, null),
    authenticateFrame: (token, inputs) => decide(inputs, token),
    idle: () => touches.idle(),
  };
}

function earlier(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.min(left, right);
}

function ignore(): void {}
