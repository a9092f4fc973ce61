// What the access line says only where it is configured: which trace a request belongs to, what came of it at the cache of a service.
import type { Config } from '../../config/config.ts';
import { LictorError } from '../../contract/error.ts';

const END = '"pid":$pid}\';';

/** `http.conf` with what else stands in the log's form: the header of W3C Trace Context, level 1, if a request has it, and the cache. */
export function renderHttp(text: string, { traces, services }: Pick<Config, 'traces' | 'services'>): string {
  const further = [
    ...(services.some(({ cache }) => cache.length > 0) ? ['"cache":"$lictor_cache"'] : []),
    ...(traces === null ? [] : ['"trace":"$lictor_trace"']),
  ];
  if (further.length === 0) return text;
  if (!text.includes(END)) throw new LictorError('edge-template', `nginx/http.conf has no ${END}`);
  const line = text.replace(END, () => `"pid":$pid,${further.join(',')}}';`);
  if (traces === null) return line;
  return `${line.trimEnd()}\n\nmap $http_traceparent $lictor_trace {\n    "~^00-[0-9a-f]+-[0-9a-f]+-[0-9a-f][0-9a-f]$" $http_traceparent;\n    default "";\n}\n`;
}
