// Optional fields of the access log: the trace of a request, and the cache status of a service call.
import type { Config } from '../../config/config.ts';
import { LictorError } from '../../contract/error.ts';

const END = '"pid":$pid}\';';

/** `http.conf` with these fields in the log format. The trace is the header of W3C Trace Context, level 1. */
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
