// Who may log in, and how: the providers, the keys of their tokens, and the standing of logins.
import { ensureSigner } from '../config/certificates/signer.ts';
import type { Config } from '../config/config.ts';
import { createAgentCredentials } from '../identity/authn/agent/credentials.ts';
import { LOGIN_TIMEOUT_MS, openProviders } from '../identity/authn/external/open-providers.ts';
import { confirmedGrants, createGrantStanding } from '../identity/authn/grant/standing.ts';
import { createJwts } from '../identity/authn/jwt/verify.ts';
import { createOutbounds } from '../identity/authn/outbounds.ts';
import { createRoleBook } from '../identity/authn/roles.ts';
import { documentNetwork } from '../identity/oauth/client-documents.ts';
import { createClients } from '../identity/oauth/clients.ts';
import type { StoredSession } from '../store/sessions.ts';
import { confirmWith } from './confirm-sessions.ts';
import type { ProcessServices } from './process-services.ts';

export type Identity = ReturnType<typeof openIdentity>;

/** The providers that principals log in at, and whether a login of the command line still stands. */
export function openIdentity(shared: ProcessServices, config: Config, opened: AsyncDisposableStack) {
  const { store, clock, steady, log, paths, confirmMemory } = shared;
  const loginOutbounds = createOutbounds(LOGIN_TIMEOUT_MS);
  opened.defer(loginOutbounds.close);
  const makeSigner = () => ensureSigner(paths.samlSigner, clock());
  const samlSigner = () => shared.shareFile('saml.pem', paths.samlSigner, makeSigner).then(makeSigner);
  const providers = openProviders({ config, outboundFor: loginOutbounds.to, samlSigner, marks: store.marks, clock, steady });
  const outbounds = createOutbounds();
  opened.defer(outbounds.close);
  const jwts = createJwts({ config, clock, steady, outboundFor: outbounds.to, onError: (error) => log.warn({ err: error }, 'keys of an issuer not fetched') });
  const confirm = confirmWith<StoredSession>(shared, { config, providers, sessions: store.sessions, memory: confirmMemory.sessions });
  const clients = createClients({ config, network: documentNetwork(), steady });
  const standing = createGrantStanding({
    acceptsClient: clients.accepts,
    sessions: store.sessions,
    providers: config.identityProviders,
    roleBook: createRoleBook(config.roles),
    agents: createAgentCredentials(config.agents),
    limits: config.sessions,
    lifeMs: config.cliSeconds * 1000,
    clock,
    confirm: confirmWith(shared, { config, providers, sessions: confirmedGrants(store.clientGrants), memory: confirmMemory.grants }),
    confirmSession: confirm,
  });
  return { providers, loginOutbounds, outbounds, jwts, confirm, clients, standing };
}
