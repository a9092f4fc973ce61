// With traces configured, the access line says which trace a request belongs to; without, it does not change.
import type { Config } from '../config/config.ts';
import { LictorError } from '../contract/error.ts';

const END = '"pid":$pid}\';';

/** `http.conf` with the header in the log's form, if it has that of W3C Trace Context, level 1. */
export function renderHttp(text: string, { traces }: Pick<Config, 'traces'>): string {
  if (traces === null) return text;
  if (!text.includes(END)) throw new LictorError('edge-template', `nginx/http.conf has no ${END}`);
  const line = text.replace(END, '"pid":$pid,"trace":"$lictor_trace"}\';');
  return `${line.trimEnd()}\n\nmap $http_traceparent $lictor_trace {\n    "~^00-[0-9a-f]+-[0-9a-f]+-[0-9a-f][0-9a-f]$" $http_traceparent;\n    default "";\n}\n`;
}
