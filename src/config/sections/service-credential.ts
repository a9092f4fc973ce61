// services[].inject: the header with which the gateway shows the service's own credential, so that tasks never hold it.
import { resolve } from 'node:path';
import type { Service } from '../config.ts';
import type { Keys, Report } from '../report.ts';
import type { WireService } from '../schema/services.ts';
import { readSecretFile } from './secret-file.ts';
import { isGatewaysOwn } from './traffic.ts';

export interface CredentialPlace {
  readonly keys: Keys;
  readonly baseDir: string;
  readonly secrets: 'read' | 'skip';
  readonly report: Report;
}

/** Null: none. Undefined: reported. Kinds that are not built are refused elsewhere. */
export function readInjected(wire: WireService['inject'], place: CredentialPlace): Service['injected'] | undefined {
  if (wire === undefined || !('header' in wire || 'basic' in wire)) return null;
  const { keys } = place;
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

interface Secret {
  readonly given: string | undefined;
  readonly file: string | undefined;
  readonly key: 'value' | 'password';
}

/** Undefined: reported. One line of printable ASCII; what else it holds arrives literally. */
function readSecret({ given, file, key }: Secret, { keys, baseDir, secrets, report }: CredentialPlace): string | undefined {
  const at = [...keys, file === undefined ? key : `${key}_file`];
  if (given !== undefined && file !== undefined) return void report(at, `stands beside ${key}`, 'Keep one of them.');
  if (given === undefined && file === undefined)
    return void report([...keys, `${key}_file`], 'is missing', `Give ${key}_file, or ${key}: \${NAME} from the environment.`);
  if (secrets === 'skip') return '';
  const text = file === undefined ? given : readSecretFile(resolve(baseDir, file), at, report)?.replace(/\r?\n$/, '');
  if (text === undefined) return undefined;
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) return text;
  return void report(at, 'must be one line of printable ASCII', 'Write the secret alone, without line breaks or spaces around it.');
}
