// What the cache reads in an answer: its lifetime, the headers that it varies by, and whether the caller has it already.
import type { OutgoingHttpHeaders } from 'node:http';
import type { CacheRule, Service } from '../../../config/service.ts';
import { formsOf, SHORTEST_MASKED } from '../../../contract/secret-forms.ts';
import type { ServiceAnswer } from './ask.ts';
import { headerOf } from './cache-rules.ts';

/** Statuses that may be stored without a lifetime from the service. */
const STATUSES: readonly number[] = [200, 301, 308];
/** Statuses that may be stored only with a lifetime from the service. */
const UPSTREAM_STATUSES: readonly number[] = [200, 203, 204, 300, 301, 302, 307, 308, 404, 410];

/** Milliseconds. Undefined: it must not be stored. */
export function lifetimeOf({ ttlSeconds }: CacheRule, { status, headers }: Pick<ServiceAnswer, 'status' | 'headers'>, nowMs: number): number | undefined {
  const isOpenEnded = /^\s*(?:text\/event-stream|multipart\/)/i.test(headerOf(headers, 'content-type'));
  const isOneTime = headers['set-cookie'] !== undefined || /no-store|no-cache|private/i.test(headerOf(headers, 'cache-control'));
  if (isOpenEnded || isOneTime || variesByAll(headers)) return undefined;
  if (ttlSeconds !== null) return STATUSES.includes(status) ? ttlSeconds * 1000 : undefined;
  const lifeMs = UPSTREAM_STATUSES.includes(status) ? upstreamLifeMs(headers, nowMs) : 0;
  return lifeMs > 0 ? lifeMs : undefined;
}

function upstreamLifeMs(headers: OutgoingHttpHeaders, nowMs: number): number {
  const control = headerOf(headers, 'cache-control');
  const seconds = /s-maxage=([0-9]{1,9})/i.exec(control)?.[1] ?? /max-age=([0-9]{1,9})/i.exec(control)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const expires = Date.parse(headerOf(headers, 'expires'));
  return Number.isNaN(expires) ? 0 : expires - nowMs;
}

/** Lower case. Empty: the answer depends only on the key. */
export function varyOf(headers: OutgoingHttpHeaders): readonly string[] {
  const names = headerOf(headers, 'vary').toLowerCase().split(',');
  return [...new Set(names.map((name) => name.trim()).filter((name) => name !== ''))].toSorted();
}

function variesByAll(headers: OutgoingHttpHeaders): boolean {
  return varyOf(headers).includes('*');
}

/** RFC 9110, 13.1: the caller has this answer. As in nginx, a date must be equal, and a tag takes precedence. */
export function isNotModified(asked: OutgoingHttpHeaders, { status, headers }: Pick<ServiceAnswer, 'status' | 'headers'>): boolean {
  if (status !== 200) return false;
  const [tags, since] = [headerOf(asked, 'if-none-match'), headerOf(asked, 'if-modified-since')];
  const [tag, modified] = [headerOf(headers, 'etag'), headerOf(headers, 'last-modified')];
  if (tags !== '') return tag !== '' && tagsOf(tags).some((one) => one === '*' || one === plainTag(tag));
  return since !== '' && since === modified;
}

function tagsOf(text: string): readonly string[] {
  return text.split(',').map(plainTag);
}

function plainTag(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}

const MOST_LETTERS = 8_192;

/**
 * The service has put the gateway's credential into a link, which nginx removes (src/edge/nginx/render-service-answers.ts): the credential may be another
 * one when a stored answer is sent. `asked` is the request to the service.
 */
export function linksCredential({ injected }: Pick<Service, 'injected'>, asked: OutgoingHttpHeaders, headers: OutgoingHttpHeaders): boolean {
  const links = `${headerOf(headers, 'location')} ${headerOf(headers, 'link')}`;
  if (injected === null || links === ' ') return false;
  const has = (text: string): boolean => links.toLowerCase().includes(text.toLowerCase());
  if ('header' in injected) {
    const secret = injected.value.replace(/^Basic /, '');
    return secret.length >= SHORTEST_MASKED && formsOf(secret).some(has);
  }
  if (!('oauth' in injected)) return false;
  const traces = headerOf(asked, 'authorization').match(new RegExp(`[A-Za-z0-9._-]{${SHORTEST_MASKED},}`, 'g')) ?? [];
  return links.length > MOST_LETTERS || traces.length === 0 || traces.some(has);
}
