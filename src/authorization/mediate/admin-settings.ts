// GET /admin/settings: whole for administrators, redacted in the same shape for everybody else, so that the UI stays whole.
//
// Prefect hides passwords, and still tells paths, hosts, ports, URLs, user names and custom headers of the server.

import { renderStrict } from '../../contract/json/strict-json.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { answerObject } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { type Family, MEBIBYTE, ownResource, planned } from './family.ts';

export const adminSettings: Family = {
  operations: ['read_settings_admin_settings_get'],
  maxBytes: MEBIBYTE,
  plan: (call) =>
    planned({
      asks: [],
      optionalPermission: { action: 'admin.settings.read_all', resource: ownResource(call) },
      intent: false,
      rewrite: () => undefined,
      reply: (answer, whole) => (whole ? answer : redactedAnswer(answer)),
    }),
};

function redactedAnswer(answer: UpstreamAnswer): UpstreamAnswer {
  if (answer.status !== 200) return answer;
  const settings = answerObject(answer);
  return { ...answer, body: renderStrict(settings === null ? {} : redacted(settings)) };
}

/** Objects whose very keys are somebody's own. */
const FREE_KEYS = new Set(['custom_headers']);
/** Numbers that say where something listens. */
const PLACES = /(^|_)port$/;
/** ISO 8601 durations and log levels say nothing about the place. */
const HARMLESS_TEXT = /^(P[0-9TDHMSWY.]+|DEBUG|INFO|WARNING|ERROR|CRITICAL|)$/;

function redacted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, redactedValue(key, value)]));
}

function redactedValue(key: string, value: JsonValue): JsonValue {
  if (isObject(value)) return FREE_KEYS.has(key) ? {} : redacted(value);
  if (isList(value)) return [];
  if (typeof value === 'string') return HARMLESS_TEXT.test(value) ? value : 'redacted';
  return PLACES.test(key) && value !== null ? 'redacted' : value;
}
