// What the courier says to nginx where no answer of the service comes: nginx makes of it what it makes of its own failures.
import type { ServerResponse } from 'node:http';
import { COURIER } from '../../contract/names.ts';
import { REASONS, type ReasonCode, refusalBody } from '../../contract/reasons.ts';

/** `unsent`: nothing was done, another server may be asked. `broken`: the server may have done it. */
export type Failure = 'unsent' | 'broken' | 'late';

/** Where an answer has begun, it is cut off: an end would say that it is whole. */
export function fail(response: ServerResponse, failure: Failure): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) return void response.destroy();
  response.writeHead(failure === 'late' ? 504 : 502, { 'content-length': 0, ...(failure === 'unsent' && { [COURIER.unsent]: '1' }) }).end();
}

/** As nginx says it of its own refusals. */
const WAIT_SECONDS: ReadonlyMap<number, string> = new Map([
  [429, '1'],
  [503, '2'],
]);

export function refuse(response: ServerResponse, code: ReasonCode, requestId: string): void {
  const body = JSON.stringify(refusalBody(code, requestId));
  const { status } = REASONS[code];
  const wait = WAIT_SECONDS.get(status);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), [COURIER.code]: code };
  response.writeHead(status, { ...headers, ...(wait !== undefined && { 'retry-after': wait }) }).end(body);
}
