// What the metrics listener of a running gateway answers.
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import type { MetricsListen } from '../../config/config.ts';

const TIMEOUT_MS = 5_000;

/** A line that says why there are none. */
export function scrapeMetrics(listen: MetricsListen | null): Promise<string> {
  if (listen === null) return Promise.resolve('# metrics.listen is not in lictor.yaml.\n');
  const where = 'path' in listen ? { socketPath: listen.path } : { host: listen.host, port: listen.port };
  return new Promise((resolve) => {
    const none = (why: string): void => resolve(`# The metrics could not be read: ${why}\n`);
    const call = get({ ...where, path: '/metrics', agent: false, timeout: TIMEOUT_MS, headers: { host: 'localhost' } }, (response) =>
      text(response).then(resolve, (error: unknown) => none(String(error))),
    );
    call.once('timeout', () => call.destroy(new Error('no answer')));
    call.once('error', (error) => none(error.message));
  });
}
