// A sink of the configuration -> what delivers to it. What it needs is loaded when it is configured.
import type { LedgerExport } from '../config/config.ts';
import type { Clock } from '../contract/clock.ts';
import { ocsfEvent } from '../ledger/ocsf.ts';
import type { Item, Sink } from './sink.ts';
import type { Numbered } from './source.ts';

export async function openSink(config: LedgerExport, clock: Clock): Promise<Sink> {
  switch (config.type) {
    case 'webhook':
      return (await import('./kinds/webhook.ts')).createWebhook(config, clock);
    case 'otlp':
      return (await import('./kinds/otlp-logs.ts')).createOtlpLogs(config, clock);
    case 'syslog':
      return (await import('./kinds/syslog.ts')).createSyslog(config);
    case 'ndjson':
      return config.url.startsWith('file:')
        ? (await import('./kinds/file.ts')).createNdjsonFile(config)
        : (await import('./kinds/ndjson.ts')).createNdjsonPost(config);
  }
}

export function encoderOf({ format }: LedgerExport): (numbered: Numbered) => Item {
  return ({ record }) => ({ record, json: JSON.stringify(format === 'ocsf' ? ocsfEvent(record) : record) });
}
