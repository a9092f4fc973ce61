// What a backup holds, as lines of JSON: a header, files, rows of the store and of the ledger, and an end that counts them.
import { createHash, type Hash } from 'node:crypto';
import { z } from 'zod';
import { STATE_VERSION } from '../../config/state-version.ts';
import type { TableRows } from '../../store/sqlite-rows.ts';
import { damaged, foreign, newer, older } from './errors.ts';

/** Raise it when an older Lictor cannot read what a newer one writes. */
const FORMAT = 1;

const header = z.strictObject({
  lictor_backup: z.number(),
  id: z.uuid(),
  /** Of the state directory. */
  state_version: z.number(),
  lictor: z.string(),
  made_at: z.iso.datetime(),
  node: z.string(),
});
export type Header = z.infer<typeof header>;

const NAME = /^(?:(?:keys|tls|exports|policies)\/[^./\p{C}][^/\p{C}]{0,200}|(?:lictor|config-in-use)\.yaml|announced\.json)$/u;

/** `name` is below the state directory. */
const file = z.strictObject({ file: z.string().regex(NAME), content: z.base64() });
const value = z.union([z.string(), z.number(), z.null()]);
const rows = z.strictObject({ of: z.enum(['store', 'ledger']), table: z.string(), columns: z.array(z.string()), rows: z.array(z.array(value)) });
const end = z.strictObject({ lines: z.number(), sha256: z.string() });

export type FileLine = z.infer<typeof file>;
export type RowsLine = TableRows & { readonly of: 'store' | 'ledger' };
export type BodyLine = FileLine | RowsLine;

/** True for a name that a backup may hold. */
export function isFileName(name: string): boolean {
  return NAME.test(name);
}

export function newHeader(given: Omit<Header, 'lictor_backup'>): Header {
  return { lictor_backup: FORMAT, ...given };
}

/** The lines as text, each with its line break, and the end. */
export async function* renderLines(first: Header, body: AsyncIterable<BodyLine>): AsyncGenerator<string> {
  const count = createCount();
  yield count.add(`${JSON.stringify(first)}\n`);
  for await (const line of body) yield count.add(`${JSON.stringify(line)}\n`);
  yield `${JSON.stringify(count.end())}\n`;
}

export interface ReadBackup {
  readonly header: Header;
  readonly body: AsyncGenerator<BodyLine>;
}

/** Reads the header; the body throws `backup-damaged` before its end if a line is missing, was added or changed. */
export async function parseLines(texts: AsyncIterator<string>, stateVersion = STATE_VERSION): Promise<ReadBackup> {
  const count = createCount();
  const text = await nextText(texts);
  const first = header.safeParse(json(text ?? ''));
  if (text === undefined || !first.success) throw foreign();
  if (first.data.lictor_backup > FORMAT || first.data.state_version > stateVersion) throw newer(first.data.lictor);
  if (first.data.state_version < stateVersion) throw older(first.data.lictor);
  count.add(text);
  return { header: first.data, body: parseBody(texts, count) };
}

async function* parseBody(texts: AsyncIterator<string>, count: Count): AsyncGenerator<BodyLine> {
  for (;;) {
    const text = await nextText(texts);
    const parsed = text === undefined ? undefined : json(text);
    const last = end.safeParse(parsed);
    if (last.success) {
      const counted = count.end();
      if (last.data.lines !== counted.lines || last.data.sha256 !== counted.sha256) throw damaged('its content does not fit its digest');
      if ((await nextText(texts)) !== undefined) throw damaged('it goes on after its end');
      return;
    }
    const line = z.union([rows, file]).safeParse(parsed);
    if (text === undefined || !line.success) throw damaged('a line cannot be read');
    count.add(text);
    yield line.data;
  }
}

interface Count {
  add(text: string): string;
  end(): z.infer<typeof end>;
}

function createCount(): Count {
  const hash: Hash = createHash('sha256');
  let lines = 0;
  return {
    add(text) {
      hash.update(text);
      lines += 1;
      return text;
    },
    end: () => ({ lines, sha256: hash.copy().digest('hex') }),
  };
}

async function nextText(texts: AsyncIterator<string>): Promise<string | undefined> {
  const { value: text, done } = await texts.next();
  return done === true ? undefined : text;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
