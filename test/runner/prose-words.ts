// Words that this repository does not use: in pages and comments, and in exported names.
import { plain, proseLines } from './markdown.ts';
import type { Texts } from './prose-links.ts';

export interface Finding {
  /** What `prose-allowed.json` counts it under. */
  readonly key: string;
  /** `FILE:LINE: what is wrong`. */
  readonly text: string;
}

/** Word or phrase -> what to write instead. */
const BANNED: readonly (readonly [name: string, pattern: string, instead: string])[] = [
  ['told', 'told|tells?', 'say, report, notify'],
  ['kept', 'kept', 'cached, stored'],
  ['whoever', 'whoever', 'name the actor'],
  ["nobody's", "nobody's", 'of no one, unowned'],
  ['somebody', 'somebody', 'a person, a client, a principal'],
  ['mend', 'mend(?:s|ed)?', 'fix'],
  ['look after', 'look(?:s|ed)? after', 'check, monitor'],
  ['come by', 'comes? by', 'arrive, pass'],
  ['walk round', 'walk(?:s|ed)? round', 'bypass'],
  ['wish', 'wish(?:es)?', 'optional'],
  ['kin', 'kin', 'lineage'],
  ['taken up again', 'taken up again', 'resumed'],
  ['shows itself', 'shows? itself', 'appears'],
  ['of its own', 'of its own', 'own, separate'],
  ['is so', 'is so', 'say what is true'],
  ['house', 'house|rooms', 'process services, runtime'],
];

/** Parts of exported names: metaphors, and what the glossary says not to use. */
const NAMES: readonly (readonly [pattern: string, instead: string])[] = [
  ['told', 'reported'],
  ['kept', 'cached, stored'],
  ['wish', 'optional'],
  ['kin', 'lineage'],
  ['house|rooms', 'runtime'],
  ['courier|keeper', 'proxy'],
  ['spoil', 'invalidate'],
  ['patient', 'context'],
  ['somebody|whoever', 'principal'],
  ['caller', 'principal'],
  ['verb', 'action'],
  ['granted|blocked', 'allow, deny'],
  ['backend', 'upstream'],
];

const ANY = wordPattern(BANNED.map(([, pattern]) => pattern).join('|'));

/** Banned words in the prose of pages, without what is generated below `mark`. */
export function wordsInPages(pages: Texts, mark: string): readonly Finding[] {
  return [...pages].flatMap(([path, text]) => bannedIn(path, proseLines(text, mark).map(plain)));
}

/** Banned words in comments of TypeScript, Python, shell and nginx files. */
export function wordsInComments(sources: Texts): readonly Finding[] {
  const found = [...sources].flatMap(([path, text]) => bannedIn(path, text.split('\n').map(commentOf)));
  return found.map(({ key, text }) => ({ key: `comment: ${key}`, text }));
}

export function commentOf(line: string): string {
  return /^\s*(?:\/\/|\/?\*|#)(.*)/.exec(line)?.[1] ?? / \/\/ (.*)$/.exec(line)?.[1] ?? '';
}

function bannedIn(path: string, lines: readonly string[]): readonly Finding[] {
  return lines.flatMap((line, index) =>
    (line.match(ANY) ?? []).map((word) => {
      const [key, , instead] = BANNED.find(([, pattern]) => new RegExp(`^(?:${pattern})$`, 'i').test(word)) ?? [word, '', 'another word'];
      return { key, text: `${path}:${index + 1}: "${word}": ${instead}` };
    }),
  );
}

function wordPattern(words: string): RegExp {
  return new RegExp(`(?<![\\w-])(?:${words})(?![\\w-])`, 'gi');
}

const EXPORTED = /^export (?:async |default |abstract )*(?:function|const|interface|type|class) (\w+)/;

export function wordsInNames(sources: Texts): readonly Finding[] {
  return [...sources].flatMap(([path, text]) =>
    text.split('\n').flatMap((line, index) => {
      const name = EXPORTED.exec(line)?.[1] ?? '';
      const parts = name.split(/(?<=[a-z0-9])(?=[A-Z])|_/).map((part) => part.toLowerCase());
      return NAMES.flatMap(([pattern, instead]) =>
        parts.some((part) => new RegExp(`^(?:${pattern})s?$`).test(part))
          ? [{ key: `name: ${pattern}`, text: `${path}:${index + 1}: ${name}: ${instead}` }]
          : [],
      );
    }),
  );
}
