// A request of SCIM and its answer, and what users and groups have in common: body, page, attributes that were asked for, errors.
import type { ScimChanges, Scim as ScimStore } from '../../store/scim.ts';
import { isJson, type Json } from './attributes.ts';
import { invalid, ScimError } from './error.ts';
import { MOST } from './schemas.ts';

export interface ScimRequest {
  readonly idp: string;
  readonly method: string;
  /** Below `/scim/v2`: `Users/ID`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export interface ScimAnswer {
  readonly status: number;
  /** Null: none. */
  readonly body: Json | null;
  readonly location?: string;
  /** What changed, for the record. */
  readonly change?: ScimChange;
}

export interface ScimChange {
  readonly action: `scim.${'users' | 'groups'}.${'create' | 'replace' | 'update' | 'delete'}`;
  readonly id: string;
}

export interface ScimParts {
  readonly store: ScimStore;
  /** The address of this API: `https://prefect.example.com/.lictor/scim/v2`. */
  readonly base: string;
}

/** What a request does to one resource, in its transaction. */
export type Change = (changes: ScimChanges, id: string) => Promise<void>;

const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

export function bodyOf({ body }: ScimRequest): Json {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw invalid('invalidSyntax', 'The body is no JSON.');
  }
  if (!isJson(parsed)) throw invalid('invalidSyntax', 'The body must be an object.');
  return parsed;
}

export function pageOf(query: URLSearchParams): { readonly startIndex: number; readonly most: number } {
  const read = (name: string, otherwise: number): number => {
    const text = query.get(name);
    if (text === null) return otherwise;
    if (!/^-?\d{1,9}$/.test(text)) throw invalid('invalidValue', `${name} must be a number.`);
    return Number(text);
  };
  // RFC 7644, 3.4.2.4: less than 1 is 1, a negative count is 0.
  return { startIndex: Math.max(1, read('startIndex', 1)), most: Math.min(MOST, Math.max(0, read('count', MOST))) };
}

export function listAnswer(resources: readonly unknown[], { total, startIndex }: { readonly total: number; readonly startIndex: number }): ScimAnswer {
  const body = { schemas: [LIST_SCHEMA], totalResults: total, startIndex, itemsPerPage: resources.length, Resources: resources };
  return { status: 200, body };
}

function namesOf(query: URLSearchParams, name: 'attributes' | 'excludedAttributes'): readonly string[] | undefined {
  const names = query.get(name)?.split(',');
  return names?.map((one) => (one.replace(/^.*:/, '').split('.')[0] ?? '').trim().toLowerCase());
}

export function wantsMembers(query: URLSearchParams): boolean {
  const [asked, excluded] = [namesOf(query, 'attributes'), namesOf(query, 'excludedAttributes')];
  return (asked?.includes('members') ?? true) && excluded?.includes('members') !== true;
}

const ALWAYS: readonly string[] = ['schemas', 'id'];

/** Only the attributes that the client asks for. */
export function pick(resource: Json, query: URLSearchParams): Json {
  const [asked, excluded] = [namesOf(query, 'attributes'), namesOf(query, 'excludedAttributes')];
  const wanted = (name: string): boolean => (asked?.includes(name) ?? true) && excluded?.includes(name) !== true;
  return Object.fromEntries(Object.entries(resource).filter(([name]) => ALWAYS.includes(name) || wanted(name.toLowerCase())));
}

export function required<T>(found: T | undefined): T {
  if (found === undefined) throw taken();
  return found;
}

export function taken(): ScimError {
  return new ScimError(409, 'Another resource has this name.', 'uniqueness');
}

export function noMember(): ScimError {
  return invalid('invalidValue', 'A member is no user of this provider.');
}

export function notAllowed(): ScimError {
  return new ScimError(405, 'This resource has no such method.');
}
