// A curl command as browsers copy it and people write it. Only what decides is read: method, URL, data, and the names of headers.
import { LictorError } from '../../contract/error.ts';
import type { Pasted } from './pasted.ts';
import { shellWords } from './shell-words.ts';

const DATA = ['-d', '--data', '--data-raw', '--data-binary', '--data-ascii', '--json'];
/** Further options with a value, whose value is not read. */
const WITH_VALUE = [
  ...['-A', '-b', '-c', '-e', '-E', '-m', '-o', '-u', '-w', '-x', '--cacert', '--cert', '--connect-timeout', '--cookie', '--cookie-jar', '--key'],
  ...['--max-time', '--oauth2-bearer', '--output', '--proxy', '--referer', '--resolve', '--retry', '--user', '--user-agent', '--write-out'],
];
const CREDENTIAL_OPTIONS: Readonly<Record<string, string>> = {
  '-b': 'cookie',
  '--cookie': 'cookie',
  '-u': 'authorization',
  '--user': 'authorization',
  '--oauth2-bearer': 'authorization',
};

interface Read {
  method: string | undefined;
  url: string | undefined;
  isQuery: boolean;
  readonly data: string[];
  readonly headers: string[];
  readonly notes: string[];
}

/** Throws LictorError `usage`. */
export function parseCurl(text: string): Pasted {
  const words = shellWords(text.trim().replace(/^\$\s+/, ''));
  if (words === undefined) throw usage('A quote in the curl command is not closed.');
  const read: Read = { method: undefined, url: undefined, isQuery: false, data: [], headers: [], notes: [] };
  const rest = words.slice(1).flatMap(splitOption);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) readWord(word, rest, read);
  if (read.url === undefined) throw usage('The curl command names no URL.');
  const query = read.isQuery && read.data.length > 0 ? `${read.url.includes('?') ? '&' : '?'}${read.data.join('&')}` : '';
  const body = read.isQuery || read.data.length === 0 ? undefined : read.data.join('&');
  return { method: read.method ?? (body === undefined ? 'GET' : 'POST'), url: `${read.url}${query}`, body, headers: read.headers, notes: read.notes };
}

/** `-XPOST` is `-X POST`, and `--url=x` is `--url x`. */
function splitOption(word: string): readonly string[] {
  const short = /^(-[XHdbuAeomwx])(.+)$/s.exec(word);
  if (short !== null) return short.slice(1);
  const long = /^(--[a-z0-9-]+)=(.*)$/s.exec(word);
  return long === null ? [word] : long.slice(1);
}

function readWord(word: string, rest: string[], read: Read): void {
  const value = (): string => rest.shift() ?? '';
  if (word === '-X' || word === '--request') read.method = methodOf(value());
  else if (word === '--url') read.url = value();
  else if (word === '-I' || word === '--head') read.method = 'HEAD';
  else if (word === '-G' || word === '--get') read.isQuery = true;
  else if (word === '-H' || word === '--header') read.headers.push((value().split(':', 1)[0] ?? '').trim().toLowerCase());
  else if (DATA.includes(word)) addData(value(), read);
  else if (['-F', '--form', '-T', '--upload-file', '--data-urlencode'].includes(word))
    throw usage(`The option ${word} of curl is not read here: give the body with --data.`);
  else if (WITH_VALUE.includes(word)) skip(word, value(), read);
  else if (!word.startsWith('-')) read.url ??= word;
}

function addData(data: string, { data: all, notes }: Read): void {
  if (data.startsWith('@')) notes.push('The body is in a file that was not pasted, so the answer is for a request without a body.');
  else all.push(data);
}

function skip(option: string, _value: string, { headers }: Read): void {
  const header = CREDENTIAL_OPTIONS[option];
  if (header !== undefined) headers.push(header);
}

function methodOf(text: string): string {
  if (!/^[A-Za-z]+$/.test(text)) throw usage('The method of the curl command is no word of letters.');
  return text;
}

function usage(message: string): LictorError {
  return new LictorError('usage', message);
}
