// JSON as OTLP writes it (opentelemetry-proto 1.x, JSON Protobuf encoding): values with their type, 64-bit numbers as text.
//
// Three shapes of fixed text. The OpenTelemetry SDK would make the same from objects of its own, with some twenty packages and 0.4 s at the start.

/** AnyValue. */
export function anyValue(value: unknown): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === 'object' && value !== null) return { kvlistValue: { values: attributes(value) } };
  return {};
}

/** KeyValue list; what is null is left out. */
export function attributes(fields: object): readonly { readonly key: string; readonly value: object }[] {
  return Object.entries(fields).flatMap(([key, value]) => (value === null || value === undefined ? [] : [{ key, value: anyValue(value) }]));
}

export function unixNano(ms: number): string {
  return `${Math.round(ms)}000000`;
}

/** The two bases of an address: the collector's own, to which the signal's path is added, or the whole. */
export function signalUrl(url: string, path: '/v1/logs' | '/v1/traces'): string {
  const parsed = new URL(url);
  if (parsed.pathname === '/') parsed.pathname = path;
  return parsed.href;
}

export const RESOURCE = { attributes: attributes({ 'service.name': 'lictor' }) };
