// A secret of services[].inject: from a file that is the gateway's alone, or from the environment.
import { resolve } from 'node:path';
import type { Keys, Report } from '../report.ts';
import { readSecretFile } from './secret-file.ts';

export interface CredentialPlace {
  readonly keys: Keys;
  readonly baseDir: string;
  readonly secrets: 'read' | 'skip';
  readonly report: Report;
}

export interface Secret {
  readonly given: string | undefined;
  readonly file: string | undefined;
  readonly key: 'value' | 'password' | 'client_secret';
}

/** Undefined: reported. One line of printable ASCII; what else it holds arrives literally. */
export function readSecret({ given, file, key }: Secret, { keys, baseDir, secrets, report }: CredentialPlace): string | undefined {
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
