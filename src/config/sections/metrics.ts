// metrics: where they may be read.
import { resolve } from 'node:path';
import type { MetricsListen } from '../config.ts';
import type { Report } from '../report.ts';
import type { WireSections } from '../schema/index.ts';
import { isLoopback } from './public-url.ts';

/** Null: none, or reported. */
export function readMetrics(wire: WireSections['metrics'], baseDir: string, report: Report): MetricsListen | null {
  if (wire === undefined) return null;
  const { listen } = wire;
  if (listen.startsWith('unix:')) return { path: resolve(baseDir, listen.slice('unix:'.length)) };
  const at = listen.lastIndexOf(':');
  const [host, port] = [listen.slice(0, at).toLowerCase(), Number(listen.slice(at + 1))];
  if (isLoopback(host) && port <= 65_535) return { host: host.replace(/^\[|\]$/g, ''), port };
  report(
    ['metrics', 'listen'],
    port > 65_535 ? 'has a port above 65535' : 'is not on loopback: metrics have no login',
    'Write 127.0.0.1:9464, or unix:/run/lictor/metrics.sock; let a Prometheus elsewhere come through a proxy of your own.',
  );
  return null;
}
