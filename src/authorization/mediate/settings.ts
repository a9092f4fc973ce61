// The settings of Prefect that its UI reads: GET /admin/settings, redacted for most principals, and GET /ui-settings with this origin.
import type { PublicUrl } from '../../config/config.ts';
import { renderStrict } from '../../contract/json/strict-json.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { answerObject } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { type Handler, MEBIBYTE, ownResource, planned } from './handler.ts';

/**
 * Prefect hides passwords, but shows paths, hosts, ports, URLs, user names and custom headers of the server. Only administrators get those.
 * The redacted answer has the same shape, so that the UI still works.
 */
export const adminSettings: Handler = {
  operations: ['read_settings_admin_settings_get'],
  maxBytes: MEBIBYTE,
  plan: (call) =>
    planned({
      asks: [],
      optionalPermission: { action: 'admin.settings.read_all', resource: ownResource(call) },
      reply: (answer, isPermitted) => (isPermitted ? answer : redactedAnswer(answer)),
    }),
};

/** With `auth: "BASIC"` the UI would ask for Prefect's password, which the gateway adds already. */
export function uiSettings({ basePath }: Pick<PublicUrl, 'basePath'>): Handler {
  const settings = { api_url: `${basePath}/api`, auth: null };
  return { operations: ['ui:settings'], maxBytes: MEBIBYTE, plan: () => planned({ asks: [], reply: (answer) => withSettings(answer, settings) }) };
}

function withSettings(answer: UpstreamAnswer, own: JsonObject): UpstreamAnswer {
  const settings = answer.status === 200 ? answerObject(answer) : null;
  return settings === null ? answer : { ...answer, body: renderStrict({ ...settings, ...own }) };
}

function redactedAnswer(answer: UpstreamAnswer): UpstreamAnswer {
  return answer.status === 200 ? { ...answer, body: renderStrict(redacted(answerObject(answer) ?? {})) } : answer;
}

/** The keys of these objects are chosen by the administrator. */
const FREE_KEYS = new Set(['custom_headers']);
const PORTS = /(^|_)port$/;
/** ISO 8601 durations and log levels reveal nothing about the server's environment. */
const HARMLESS_TEXT = /^(P[0-9TDHMSWY.]+|DEBUG|INFO|WARNING|ERROR|CRITICAL|)$/;

function redacted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, redactedValue(key, value)]));
}

function redactedValue(key: string, value: JsonValue): JsonValue {
  if (isObject(value)) return FREE_KEYS.has(key) ? {} : redacted(value);
  if (isList(value)) return [];
  if (typeof value === 'string') return HARMLESS_TEXT.test(value) ? value : 'redacted';
  return PORTS.test(key) && value !== null ? 'redacted' : value;
}
