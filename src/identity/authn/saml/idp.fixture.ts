// For tests: an identity provider that signs any document, and its documents.
import { createSign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { signXml } from '@node-saml/node-saml/lib/xml.js';
import { makeSigningCertificate } from '../../../config/certificates/make.ts';
import type { Expected } from './assertion.ts';
import type { IdpMetadata } from './metadata.ts';

/** The time of src/identity/authn/store.fixture.ts. */
export const NOW_MS = 1_700_000_000_000;
export const OWN = 'https://prefect.example/.lictor/saml/adfs';
export const ENTITY = 'https://idp.example/entity';
export const REQUEST = '_request1';

export interface SigningKey {
  readonly certificate: string;
  readonly key: string;
}

export function newKey(): Promise<SigningKey> {
  return makeSigningCertificate('A provider', NOW_MS);
}

export function idpOf(...keys: readonly SigningKey[]): IdpMetadata {
  const certificates = keys.map(({ certificate }) => certificate);
  return {
    entityId: ENTITY,
    loginUrl: 'https://idp.example/sso',
    logoutUrl: 'https://idp.example/slo',
    logoutAnswerUrl: 'https://idp.example/slo',
    certificates,
    validUntilMs: null,
  };
}

export function expectedOf(idp: IdpMetadata, more: Partial<Expected> = {}): Expected {
  return { idp, audience: `${OWN}/metadata`, acsUrl: `${OWN}/acs`, requestId: REQUEST, nowMs: NOW_MS, ...more };
}

export const at = (seconds: number): string => new Date(NOW_MS + seconds * 1000).toISOString();

const XMLNS = 'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"';

export interface AssertionText {
  readonly id?: string;
  readonly nameId?: string;
  readonly format?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly recipient?: string;
  /** Empty: none. */
  readonly inResponseTo?: string;
  readonly notBefore?: string;
  readonly notOnOrAfter?: string;
  readonly confirmedUntil?: string;
  readonly sessionEnds?: string;
  readonly issued?: string;
  readonly authenticated?: string;
  readonly conditions?: string;
  readonly attributes?: string;
}

export function groups(...names: readonly string[]): string {
  return `<saml:Attribute Name="groups">${names.map((name) => `<saml:AttributeValue>${name}</saml:AttributeValue>`).join('')}</saml:Attribute>`;
}

export function assertionText(given: AssertionText = {}): string {
  const { id = '_assertion1', nameId = 'alice', format = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified', issuer = ENTITY } = given;
  const { audience = `${OWN}/metadata`, recipient = `${OWN}/acs`, inResponseTo = REQUEST, notBefore = at(-5), notOnOrAfter = at(300) } = given;
  const { confirmedUntil = at(300), sessionEnds, conditions = '', attributes = groups('platform') } = given;
  const { issued = at(0), authenticated = at(0) } = given;
  return `<saml:Assertion ${XMLNS} ID="${id}" Version="2.0" IssueInstant="${issued}"><saml:Issuer>${issuer}</saml:Issuer><saml:Subject><saml:NameID Format="${format}">${nameId}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="${recipient}" NotOnOrAfter="${confirmedUntil}"${inResponseTo === '' ? '' : ` InResponseTo="${inResponseTo}"`}/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${notBefore}" NotOnOrAfter="${notOnOrAfter}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction>${conditions}</saml:Conditions><saml:AuthnStatement AuthnInstant="${authenticated}" SessionIndex="session-1"${sessionEnds === undefined ? '' : ` SessionNotOnOrAfter="${sessionEnds}"`}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>${attributes}</saml:AttributeStatement></saml:Assertion>`;
}

export interface ResponseText {
  readonly id?: string;
  readonly destination?: string;
  readonly issuer?: string;
  readonly inResponseTo?: string;
  readonly issued?: string;
  readonly status?: string;
  /** Nested in it. */
  readonly innerStatus?: string;
}

export function responseText(content: string, given: ResponseText = {}): string {
  const {
    id = '_response1',
    destination = `${OWN}/acs`,
    issuer = ENTITY,
    inResponseTo = REQUEST,
    issued = at(0),
    status = 'urn:oasis:names:tc:SAML:2.0:status:Success',
    innerStatus,
  } = given;
  const inner = innerStatus === undefined ? '' : `<samlp:StatusCode Value="${innerStatus}"/>`;
  return `<samlp:Response ${XMLNS} ID="${id}" Version="2.0" IssueInstant="${issued}"${destination === '' ? '' : ` Destination="${destination}"`}${inResponseTo === '' ? '' : ` InResponseTo="${inResponseTo}"`}><saml:Issuer>${issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="${status}">${inner}</samlp:StatusCode></samlp:Status>${content}</samlp:Response>`;
}

interface SignOptions {
  readonly signatureAlgorithm?: 'sha1' | 'sha256' | 'sha512';
  readonly digestAlgorithm?: 'sha1' | 'sha256' | 'sha512';
}

/** The signature follows the issuer and contains the certificate, as at most providers. */
export function sign(text: string, { key, certificate }: SigningKey, what: 'Assertion' | 'Response' | 'LogoutRequest', options: SignOptions = {}): string {
  const path = `//*[local-name(.)='${what}']`;
  return signXml(
    text,
    path,
    { reference: `${path}/*[local-name(.)='Issuer']`, action: 'after' },
    { privateKey: key, publicCert: certificate, signatureAlgorithm: 'sha256', digestAlgorithm: 'sha256', ...options },
  );
}

export const encode = (text: string): string => Buffer.from(text).toString('base64');

export interface LogoutText {
  readonly id?: string;
  readonly issuer?: string;
  readonly destination?: string;
  readonly issued?: string;
  readonly nameId?: string;
  readonly indexes?: readonly string[];
}

export function logoutText({
  id = '_logout1',
  issuer = ENTITY,
  destination = `${OWN}/logout`,
  issued = at(0),
  nameId = 'alice',
  indexes = ['session-1'],
}: LogoutText = {}): string {
  return `<samlp:LogoutRequest ${XMLNS} ID="${id}" Version="2.0" IssueInstant="${issued}" Destination="${destination}"><saml:Issuer>${issuer}</saml:Issuer><saml:NameID>${nameId}</saml:NameID>${indexes.map((index) => `<samlp:SessionIndex>${index}</samlp:SessionIndex>`).join('')}</samlp:LogoutRequest>`;
}

/** The query of HTTP-Redirect. */
export function signedQuery(
  text: string,
  { key }: SigningKey,
  { algorithm = RSA_SHA256, relayState = 'back here' }: { readonly algorithm?: SigAlg; readonly relayState?: string | null } = {},
): string {
  const message = deflateRawSync(Buffer.from(text)).toString('base64');
  const parts = { SAMLRequest: message, ...(relayState !== null && { RelayState: relayState }), SigAlg: algorithm.uri };
  const signed = new URLSearchParams(parts).toString();
  return `${signed}&Signature=${encodeURIComponent(createSign(algorithm.name).update(signed).sign(key, 'base64'))}`;
}

interface SigAlg {
  readonly name: string;
  readonly uri: string;
}

export const RSA_SHA256 = { name: 'RSA-SHA256', uri: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256' } as const;
export const RSA_SHA1 = { name: 'RSA-SHA1', uri: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' } as const;

/** The provider's published metadata. */
export function metadataText({ keys }: { readonly keys: readonly SigningKey[] }): string {
  const descriptors = keys.map(({ certificate }) => {
    const base64 = certificate.replaceAll(/-----[A-Z ]+-----|\s/g, '');
    return `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`;
  });
  const redirect = 'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"';
  return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${ENTITY}"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${descriptors.join('')}<md:SingleLogoutService ${redirect} Location="https://idp.example/slo" ResponseLocation="https://idp.example/slo/answer"/><md:SingleSignOnService ${redirect} Location="https://idp.example/sso?tenant=1"/></md:IDPSSODescriptor></md:EntityDescriptor>`;
}
