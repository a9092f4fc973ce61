// `POST /api/...` as a person writes it: method, path below the gateway, query.
import type { PublicUrl } from '../../config/config.ts';
import { LictorError } from '../../contract/error.ts';

export interface RequestLine {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Written as `ws:` or `wss:`. */
  readonly socket: boolean;
}

/** A whole URL of this gateway is fine too. Throws LictorError `usage` when it is no request. */
export function readLine(publicUrl: Pick<PublicUrl, 'origin' | 'basePath'>, line: string): RequestLine {
  const match = /^([A-Z]+) +(\S+)$/.exec(line.trim());
  if (match === null) throw usage(`${JSON.stringify(line)} is no request: write METHOD and path, 'POST /api/flow_runs/filter'.`);
  const [, method = '', written = ''] = match;
  const target = written.replace(/^ws(?=s?:\/\/)/, 'http');
  const whole = target.startsWith(`${publicUrl.origin}/`) ? target.slice(publicUrl.origin.length) : target;
  const below = publicUrl.basePath !== '' && whole.startsWith(`${publicUrl.basePath}/`) ? whole.slice(publicUrl.basePath.length) : whole;
  const at = below.indexOf('?');
  const [path, query] = at < 0 ? [below, ''] : [below.slice(0, at), below.slice(at + 1)];
  if (!path.startsWith('/')) throw usage(`${JSON.stringify(written)} is no path of ${publicUrl.origin}${publicUrl.basePath}: write it as /api/...`);
  return { method, path, query, socket: target !== written };
}

function usage(message: string): LictorError {
  return new LictorError('usage', message);
}
