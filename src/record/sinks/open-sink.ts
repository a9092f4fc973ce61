// A sink of the configuration -> its delivery. Each kind is loaded only when it is configured.
import type { LedgerExport } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { PrefectEvent } from '../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { ocsfEvent } from '../ledger/ocsf.ts';
import { ocsfOfPrefectEvent } from '../ledger/ocsf-event.ts';
import type { Item, Sink } from './sink.ts';

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

export interface Encoder {
  readonly record: (record: LedgerRecord) => Item;
  /** The form of `audit export --events`: no reader mistakes an event for a record. */
  readonly event: (event: PrefectEvent, record: LedgerRecord) => Item;
}

export function encoderOf({ format }: Pick<LedgerExport, 'format'>): Encoder {
  const isOcsf = format === 'ocsf';
  return {
    record: (record) => ({ record, json: JSON.stringify(isOcsf ? ocsfEvent(record) : record) }),
    event: (event, record) => ({ record, event, json: JSON.stringify(isOcsf ? ocsfOfPrefectEvent(event) : { prefect_event: event }) }),
  };
}
