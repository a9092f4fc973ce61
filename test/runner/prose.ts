// The prose check of `lictor test lint`: long sentences, words that are not used here, broken links. `npm run prose` lowers what is still allowed.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { proseLines, sentences, wordsOf } from './markdown.ts';
import { brokenLinks, missingPages, missingSources, type Texts, unlistedPages } from './prose-links.ts';
import { type Finding, wordsInComments, wordsInNames, wordsInPages } from './prose-words.ts';

/** How many findings of a key are left from before; only `npm run prose` writes it, and it only lowers. */
export type Allowed = Readonly<Record<string, number>>;

const ALLOWED = join(REPOSITORY, 'test/runner/prose-allowed.json');
const MADE = '<!-- Made from the code';
const LONGEST = 30;

export function longSentences(pages: Texts): readonly Finding[] {
  return [...pages].flatMap(([path, text]) =>
    sentences(proseLines(text, MADE)).flatMap(({ line, text: sentence }) => {
      const words = wordsOf(sentence);
      return words > LONGEST ? [{ key: 'long sentence', text: `${path}:${line}: ${words} words: ${sentence.slice(0, 60)}...` }] : [];
    }),
  );
}

/** A line for each finding of a key that has more of them than are allowed. */
export function beyondAllowed(findings: readonly Finding[], allowed: Allowed): readonly string[] {
  return [...byKey(findings)].flatMap(([key, texts]) => {
    const most = allowed[key] ?? 0;
    if (texts.length <= most) return [];
    return most === 0 ? texts : [`"${key}": ${texts.length} places, at most ${most} are allowed. One of these is new:`, ...texts];
  });
}

/** Never more of a key than before, and no new key. */
export function lowered(allowed: Allowed, findings: readonly Finding[]): Allowed {
  const now = byKey(findings);
  const entries = Object.entries(allowed).map(([key, most]) => [key, Math.min(most, now.get(key)?.length ?? 0)] as const);
  return Object.fromEntries(entries.filter(([, most]) => most > 0));
}

function byKey(findings: readonly Finding[]): ReadonlyMap<string, readonly string[]> {
  return new Map([...Map.groupBy(findings, ({ key }) => key)].map(([key, each]) => [key, each.map(({ text }) => text)]));
}

/** What is wrong with the prose of the repository; empty: nothing. */
export async function checkProse(): Promise<readonly string[]> {
  const { findings, broken } = await readProse();
  return [...broken, ...beyondAllowed(findings, readAllowed())];
}

const readAllowed = (): Allowed => JSON.parse(readFileSync(ALLOWED, 'utf8'));

async function readProse(): Promise<{ readonly findings: readonly Finding[]; readonly broken: readonly string[] }> {
  const files = await trackedFiles();
  const paths = new Set(files);
  const exists = (path: string): boolean => paths.has(path) || files.some((file) => file.startsWith(`${path}/`));
  const texts = (wanted: RegExp): Texts =>
    new Map(files.filter((file) => wanted.test(file)).map((file) => [file, readFileSync(join(REPOSITORY, file), 'utf8')]));
  const pages = texts(/\.md$/);
  const sources = texts(/^(?!test\/golden|test\/env\/otlp-collector|test\/runner\/prose).*(?:\.(?:ts|py|conf|cedar|service|rules\.yml)|^lictor(?:\.yaml)?)$/);
  const code: Texts = new Map([...sources].filter(([path]) => path.startsWith('src/') && !/\.(?:test|fixture)\.ts$/.test(path)));
  return {
    findings: [...longSentences(pages), ...wordsInPages(pages, MADE), ...wordsInComments(sources), ...wordsInNames(code)],
    broken: [
      ...brokenLinks(pages, exists),
      ...missingPages(new Map([...sources, ...pages].filter(([path]) => !path.startsWith('docs/'))), exists),
      ...missingSources(pages, exists),
      ...unlistedPages(pages),
    ],
  };
}

/** Tracked and new files that are there; a file that git ignores is not the repository's. */
async function trackedFiles(): Promise<readonly string[]> {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const { output } = await runCommand({ command: 'git', args, env: process.env, cwd: REPOSITORY });
  const deleted = await runCommand({ command: 'git', args: ['ls-files', '--deleted'], env: process.env, cwd: REPOSITORY });
  const gone = new Set(deleted.output.split('\n'));
  return output.split('\n').filter((file) => file !== '' && !gone.has(file));
}

if (import.meta.main) {
  const { findings } = await readProse();
  writeFileSync(ALLOWED, `${JSON.stringify(lowered(readAllowed(), findings), null, 2)}\n`);
}
