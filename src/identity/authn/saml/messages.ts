// Lictor's signed messages to a provider: metadata, requests for login and logout, answers to its logout.
import { randomBytes } from 'node:crypto';
import { generateServiceProviderMetadata, SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import type { NameId } from './assertion.ts';
import type { IdpMetadata } from './metadata.ts';

/** Lictor's side: the URLs below public_url, and the signing key. */
export interface OwnSide {
  /** The URL of Lictor's metadata: its entity id and audience. */
  readonly entityId: string;
  readonly acsUrl: string;
  readonly logoutUrl: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface Asked {
  /** With the signed message in it. */
  readonly location: string;
  /** The request that the answer must name. */
  readonly requestId: string;
}

export function renderOwnMetadata({ entityId, acsUrl, logoutUrl, certificate, key }: OwnSide): string {
  return generateServiceProviderMetadata({
    issuer: entityId,
    callbackUrl: acsUrl,
    logoutCallbackUrl: logoutUrl,
    identifierFormat: null,
    wantAssertionsSigned: true,
    privateKey: key,
    publicCerts: certificate,
    // The same text each time.
    generateUniqueId: () => '_lictor',
  });
}

export async function loginRequest(own: OwnSide, idp: IdpMetadata, { state, again }: { readonly state: string; readonly again: boolean }): Promise<Asked> {
  const requestId = newId();
  const location = await client(own, { idp, requestId, url: idp.loginUrl, forceAuthn: again }).getAuthorizeUrlAsync(state, undefined, {});
  return { location, requestId };
}

export interface LeaveSession {
  readonly url: string;
  readonly nameId: NameId;
  readonly sessionIndex: string | null;
}

export async function logoutRequest(own: OwnSide, idp: IdpMetadata, { url, nameId, sessionIndex }: LeaveSession): Promise<string> {
  const user = {
    issuer: idp.entityId,
    nameID: nameId.value,
    nameIDFormat: nameId.format ?? UNSPECIFIED,
    ...(nameId.nameQualifier !== null && { nameQualifier: nameId.nameQualifier }),
    ...(nameId.spNameQualifier !== null && { spNameQualifier: nameId.spNameQualifier }),
    ...(sessionIndex !== null && { sessionIndex }),
  };
  return await client(own, { idp, requestId: newId(), url }).getLogoutUrlAsync(user, '', {});
}

/** `relayState` is returned unchanged. */
export async function logoutAnswer(
  own: OwnSide,
  idp: IdpMetadata,
  { url, requestId, relayState }: { readonly url: string; readonly requestId: string; readonly relayState: string },
): Promise<string> {
  const asked = { ID: requestId, issuer: idp.entityId, nameID: '', nameIDFormat: UNSPECIFIED };
  return await client(own, { idp, requestId: newId(), url }).getLogoutResponseUrlAsync(asked, relayState, {}, true);
}

const UNSPECIFIED = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';

interface Message {
  readonly idp: IdpMetadata;
  readonly requestId: string;
  readonly url: string;
  readonly forceAuthn?: boolean;
}

function client(own: OwnSide, { idp, requestId, url, forceAuthn = false }: Message): SAML {
  return new SAML({
    issuer: own.entityId,
    callbackUrl: own.acsUrl,
    entryPoint: url,
    logoutUrl: url,
    idpCert: [...idp.certificates],
    privateKey: own.key,
    publicCert: own.certificate,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    forceAuthn,
    // The provider's settings decide which name it sends.
    identifierFormat: null,
    disableRequestedAuthnContext: true,
    generateUniqueId: () => requestId,
    // The store has the attempts, and response.ts checks the answers.
    validateInResponseTo: ValidateInResponseTo.never,
    cacheProvider: NO_CACHE,
  });
}

const NO_CACHE = { saveAsync: async () => null, getAsync: async () => null, removeAsync: async () => null };

function newId(): string {
  return `_${randomBytes(20).toString('hex')}`;
}
