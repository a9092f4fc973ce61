// Syslog: RFC 5424 messages with octet counting (RFC 6587, 3.4.1; RFC 5425 with TLS).
//
// Syslog has no acknowledgement. So each batch has its own connection, and counts when the receiver reads to the end and closes it. If the connection breaks
// earlier, the batch is sent again.
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemAuthorities } from '../../../config/authorities.ts';
import type { LedgerExport } from '../../../config/config.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { DeliveryError, type Item, type Sink } from '../sink.ts';

export function createSyslog(config: LedgerExport): Sink {
  return {
    async deliver(batch, signal) {
      await send(config, Buffer.concat(batch.map(framed)), signal);
      return { rejected: 0 };
    },
    close: async () => undefined,
  };
}

function framed(item: Item): Buffer {
  const message = Buffer.from(syslogMessage(item));
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

/** Facility 13 is "log audit" (RFC 5424, table 1). Severity: notice, or warning for a denial. */
const AUDIT = 13;

/** Pure ASCII with JSON escapes, so that the message needs no encoding mark. */
export function syslogMessage({ record, event, json }: Item): string {
  const severity = event === undefined && record.decision === 'deny' ? 4 : 5;
  const [time, id] = event === undefined ? [record.time, idOf(record)] : [event.occurred, event.event];
  return `<${AUDIT * 8 + severity}>1 ${time} ${printable(record.node, 255)} lictor - ${printable(id, 32)} - ${escaped(json)}`;
}

function idOf({ action }: LedgerRecord): string {
  return action ?? '';
}

function printable(text: string, longest: number): string {
  const safe = text.replaceAll(/[^\x21-\x7e]/g, '_').slice(0, longest);
  return safe === '' ? '-' : safe;
}

function escaped(json: string): string {
  return json.replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function send(config: LedgerExport, bytes: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = open(config);
    let sent = false;
    const abort = (): void => void socket.destroy(new DeliveryError('did not read it in time'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once('finish', () => {
      sent = true;
    });
    socket.once('end', () => {
      if (!sent) socket.destroy(new DeliveryError('closed the connection before it had read everything'));
    });
    socket.once('close', (hadError) => {
      signal.removeEventListener('abort', abort);
      if (sent && !hadError) resolve();
      else reject(new DeliveryError('closed the connection'));
    });
    // Lictor ignores what the receiver sends.
    socket.resume();
    socket.once(config.url.startsWith('tls:') ? 'secureConnect' : 'connect', () => socket.end(bytes));
    if (signal.aborted) abort();
  });
}

function open({ url, ca }: LedgerExport): Socket {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'tcp:') return connectTcp({ host, port: Number(port) });
  // Node checks the certificate against an IP address itself.
  return connectTls({ host, port: Number(port), servername: /^[0-9.:]+$/.test(host) ? '' : host, ca: ca ?? systemAuthorities(), minVersion: 'TLSv1.2' });
}
