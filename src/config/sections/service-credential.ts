// services[].inject: how the gateway shows the service's own credential, so that tasks never hold it.

import type { WireService } from '../schema/services.ts';
import type { Service } from '../service.ts';
import { readOauth } from './service-oauth.ts';
import { type CredentialPlace, readSecret } from './service-secret.ts';
import { isGatewaysOwn } from './traffic.ts';

/** Null: none. Undefined: reported.  */
export function readInjected(wire: WireService['inject'], place: CredentialPlace): Service['injected'] | undefined {
  if (wire === undefined) return null;
  const { keys } = place;
  if ('oauth' in wire) return readOauth(wire.oauth, { ...place, keys: [...keys, 'oauth'] });
  if ('sigv4' in wire) return { sigv4: { ...wire.sigv4, profile: wire.sigv4.profile ?? null } };
  if ('query' in wire) {
    const { name, value, value_file } = wire.query;
    const text = readSecret({ given: value, file: value_file, key: 'value' }, { ...place, keys: [...keys, 'query'] });
    return text === undefined ? undefined : { query: { name, value: text } };
  }
  if ('header' in wire) {
    const { name, value, value_file } = wire.header;
    const text = readSecret({ given: value, file: value_file, key: 'value' }, { ...place, keys: [...keys, 'header'] });
    if (isSettable(name, { ...place, keys: [...keys, 'header', 'name'] }) && text !== undefined) return { header: name, value: text };
    return undefined;
  }
  const { user, password, password_file } = wire.basic;
  const secret = readSecret({ given: password, file: password_file, key: 'password' }, { ...place, keys: [...keys, 'basic'] });
  if (user.includes(':')) return void place.report([...keys, 'basic', 'user'], 'holds a colon (RFC 7617, 2)', 'A user name has none.');
  return secret === undefined ? undefined : { header: 'Authorization', value: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
}

function isSettable(name: string, { keys, report }: CredentialPlace): boolean {
  const lower = name.toLowerCase();
  if (lower === 'authorization' || lower === 'cookie' || !isGatewaysOwn(lower)) return true;
  report(keys, `${name} is set by the gateway itself`, 'Take the header that the service wants its key in.');
  return false;
}
