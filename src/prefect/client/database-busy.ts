// The answer that Prefect gives when its database rejects a request, as SQLite does while it is locked.
import type { UpstreamAnswer } from './upstream.ts';

/** A proxy before Prefect has other words. */
const BUSY = '{"exception_message":"Service Unavailable"}';

/**
 * Prefect has rolled the request back, and its clients send the request again (`custom_internal_exception_handler`, prefect/server/api/server.py of
 * 3.9.1). Not known here: Prefect answers the same when it loses Postgres during the commit, and then may have acted.
 */
export function isDatabaseBusy({ status, body }: Pick<UpstreamAnswer, 'status' | 'body'>): boolean {
  return status === 503 && body.toString() === BUSY;
}
