// OTLP in JSON (opentelemetry-proto 1.x, JSON Protobuf encoding): typed values, 64-bit numbers as text.
//
// Own code, because the OpenTelemetry SDK brings some twenty packages and adds 0.4 s to the start.

export function anyValue(value: unknown): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === 'object' && value !== null) return { kvlistValue: { values: attributes(value) } };
  return {};
}

/** KeyValue list, without null values. */
export function attributes(fields: object): readonly { readonly key: string; readonly value: object }[] {
  return Object.entries(fields).flatMap(([key, value]) => (value === null || value === undefined ? [] : [{ key, value: anyValue(value) }]));
}

export function unixNano(ms: number): string {
  return `${Math.round(ms)}000000`;
}

/** A URL without a path is the collector's base: the path of the signal is added. Any other URL is complete. */
export function signalUrl(url: string, path: '/v1/logs' | '/v1/traces'): string {
  const parsed = new URL(url);
  if (parsed.pathname === '/') parsed.pathname = path;
  return parsed.href;
}

export const RESOURCE = { attributes: attributes({ 'service.name': 'lictor' }) };
