// An assertion of a login, as the provider signed it: its audience, its time, its request and its subject.
import { type NotProven, notProven } from '../external/provider.ts';
import { NAME } from '../identity/name.ts';
import type { IdpMetadata } from './metadata.ts';
import { BEARER, FORMAT, NS, SKEW_MS } from './names.ts';
import type { StoredSubject } from './stored-subject.ts';
import { attribute, children, childrenNamed, onlyChild, SamlError, textOf, timeOf, uriOf, type XmlElement } from './xml.ts';

export interface Expected {
  readonly idp: Pick<IdpMetadata, 'entityId' | 'certificates'>;
  /** Lictor's own entity id: the audience. */
  readonly audience: string;
  /** The exact destination of the answer. */
  readonly acsUrl: string;
  /** ID of Lictor's request. Null: there was none. */
  readonly requestId: string | null;
  readonly nowMs: number;
}

export type NameId = StoredSubject['nameId'];

export interface Assertion {
  readonly id: string;
  readonly nameId: NameId;
  /** The provider's ID of its session. Null: it gave none. */
  readonly sessionIndex: string | null;
  /** When the person proved the identity, by the provider. */
  readonly authenticatedMs: number;
  /** The latest end of the session by the provider. Null: it names none. */
  readonly sessionEndsMs: number | null;
  readonly issuedMs: number;
  /** After this time it would be rejected as too old. */
  readonly usableUntilMs: number;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

type ReadAssertion = { readonly ok: true; readonly assertion: Assertion } | NotProven;

const LIMITS = { attributes: 200, values: 2000, characters: 1024 } as const;
/** Conditions that Lictor fulfils, since it uses an assertion once and passes it to no one. */
const HARMLESS_CONDITIONS: ReadonlySet<string> = new Set(['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction']);

export function readAssertion(assertion: XmlElement, expected: Expected): ReadAssertion {
  const id = attribute(assertion, 'ID');
  if (id === undefined || attribute(assertion, 'Version') !== '2.0') throw new SamlError('the assertion has no ID, or is not of version 2.0');
  if (uriOf(onlyChild(assertion, NS.assertion, 'Issuer')) !== expected.idp.entityId) throw new SamlError('the assertion has another issuer');
  const issuedMs = checkIssued(assertion, expected.nowMs, 'the assertion');
  checkConditions(onlyChild(assertion, NS.assertion, 'Conditions'), expected);
  const subject = onlyChild(assertion, NS.assertion, 'Subject');
  const confirmed = confirmedUntil(subject, expected);
  if (confirmed === 'other-login') return notProven('assertion-other-login', 'InResponseTo names another request, or none');
  const session = readSession(assertion, expected.nowMs);
  return { ok: true, assertion: { id, nameId: readNameId(subject), ...session, issuedMs, usableUntilMs: confirmed, attributes: readAttributes(assertion) } };
}

/** The longest life of a login attempt: an older answer matches none. */
const OLDEST_MS = 15 * 60_000;

/** For a response or an assertion. Each names its time of creation, which this answers. */
export function checkIssued(element: XmlElement, nowMs: number, what: string): number {
  const issuedMs = timeOf(attribute(element, 'IssueInstant') ?? '', 'IssueInstant');
  if (issuedMs > nowMs + SKEW_MS) throw new SamlError(`${what} is from the future`);
  if (issuedMs < nowMs - OLDEST_MS - SKEW_MS) throw new SamlError(`${what} is too old`);
  return issuedMs;
}

function checkConditions(conditions: XmlElement, { audience, nowMs }: Expected): void {
  checkTimes(conditions, nowMs, 'the assertion');
  if (!children(conditions).every(({ localName, namespaceURI }) => namespaceURI === NS.assertion && HARMLESS_CONDITIONS.has(localName))) {
    throw new SamlError('a condition that is not understood');
  }
  const restrictions = childrenNamed(conditions, NS.assertion, 'AudienceRestriction');
  const isOurs = (restriction: XmlElement): boolean => childrenNamed(restriction, NS.assertion, 'Audience').some((element) => uriOf(element) === audience);
  if (restrictions.length === 0 || !restrictions.every(isOurs)) throw new SamlError('the assertion is for another audience, or for any');
}

/**
 * Profiles 4.1.4.3: one bearer confirmation fits in every respect. `other-login`: only its request is another one.
 * Without a request of Lictor, it must name none.
 */
function confirmedUntil(subject: XmlElement, { acsUrl, requestId, nowMs }: Expected): number | 'other-login' {
  const bearers = childrenNamed(subject, NS.assertion, 'SubjectConfirmation').filter((element) => attribute(element, 'Method') === BEARER);
  const [only] = bearers;
  if (only === undefined || bearers.length !== 1) throw new SamlError(`${bearers.length} bearer confirmations`);
  const data = onlyChild(only, NS.assertion, 'SubjectConfirmationData');
  if (attribute(data, 'Recipient') !== acsUrl) throw new SamlError('Recipient is not this address');
  const until = attribute(data, 'NotOnOrAfter');
  if (until === undefined) throw new SamlError('the confirmation never ends');
  checkTimes(data, nowMs, 'the confirmation');
  return (attribute(data, 'InResponseTo') ?? null) === requestId ? timeOf(until, 'NotOnOrAfter') : 'other-login';
}

function checkTimes(element: XmlElement, nowMs: number, what: string): void {
  const [from, until] = [attribute(element, 'NotBefore'), attribute(element, 'NotOnOrAfter')];
  if (from !== undefined && nowMs + SKEW_MS < timeOf(from, 'NotBefore')) throw new SamlError(`${what} is not valid yet`);
  if (until !== undefined && nowMs - SKEW_MS >= timeOf(until, 'NotOnOrAfter')) throw new SamlError(`${what} has expired`);
}

/** A transient name changes at each login, so it cannot identify a person. */
function readNameId(subject: XmlElement): NameId {
  const element = onlyChild(subject, NS.assertion, 'NameID');
  const [value, format] = [textOf(element), attribute(element, 'Format') ?? null];
  if (!NAME.test(value)) throw new SamlError('NameID is empty, too long or no plain text');
  if (format === FORMAT.transient) throw new SamlError('NameID is transient: the provider must send one that stays');
  return { value, format, nameQualifier: attribute(element, 'NameQualifier') ?? null, spNameQualifier: attribute(element, 'SPNameQualifier') ?? null };
}

function readSession(assertion: XmlElement, nowMs: number): Pick<Assertion, 'sessionIndex' | 'authenticatedMs' | 'sessionEndsMs'> {
  const [statement, ...others] = childrenNamed(assertion, NS.assertion, 'AuthnStatement');
  if (statement === undefined || others.length > 0) throw new SamlError('there is not one AuthnStatement');
  // The provider decides how old its own session may be.
  const instantMs = timeOf(attribute(statement, 'AuthnInstant') ?? '', 'AuthnInstant');
  if (instantMs > nowMs + SKEW_MS) throw new SamlError('AuthnInstant is in the future');
  const index = attribute(statement, 'SessionIndex') ?? null;
  if (index !== null && !NAME.test(index)) throw new SamlError('SessionIndex is no plain text');
  const ends = attribute(statement, 'SessionNotOnOrAfter');
  const sessionEndsMs = ends === undefined ? null : timeOf(ends, 'SessionNotOnOrAfter');
  if (sessionEndsMs !== null && sessionEndsMs <= nowMs) throw new SamlError('the session at the provider has ended already');
  return { sessionIndex: index, authenticatedMs: Math.min(instantMs, nowMs), sessionEndsMs };
}

/** Some providers repeat an attribute for each value. Values that are not text are ignored. */
function readAttributes(assertion: XmlElement): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, string[]>();
  const elements = childrenNamed(assertion, NS.assertion, 'AttributeStatement').flatMap((statement) => childrenNamed(statement, NS.assertion, 'Attribute'));
  for (const element of elements) {
    const name = attribute(element, 'Name');
    if (name === undefined || name.length > LIMITS.characters) throw new SamlError('an attribute without a name');
    const values = childrenNamed(element, NS.assertion, 'AttributeValue').filter((value) => children(value).length === 0);
    attributes.set(name, [...(attributes.get(name) ?? []), ...values.map(textOf)]);
  }
  const total = [...attributes.values()].reduce((sum, values) => sum + values.length, 0);
  if (attributes.size > LIMITS.attributes || total > LIMITS.values) throw new SamlError('too many attributes');
  return attributes;
}
