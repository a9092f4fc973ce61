// Links between pages, and pages that code names: each must be there.
import { dirname, join, normalize } from 'node:path';
import { anchors, links, proseLines } from './markdown.ts';

/** Path in the repository -> text. */
export type Texts = ReadonlyMap<string, string>;

/** Links to a missing file or heading. `exists` answers for a path in the repository. */
export function brokenLinks(pages: Texts, exists: (path: string) => boolean): readonly string[] {
  const headings = new Map([...pages].map(([path, text]) => [path, anchors(proseLines(text))]));
  return [...pages].flatMap(([path, text]) =>
    links(proseLines(text)).flatMap(({ line, text: target }) => {
      const [file = '', anchor] = target.split('#');
      const to = file === '' ? path : normalize(join(dirname(path), file));
      const isThere = exists(to) && (anchor === undefined || headings.get(to)?.has(anchor) === true);
      return isThere ? [] : [`${path}:${line}: broken link ${target}`];
    }),
  );
}

/** Pages that a text outside of docs/ names by their path, and that are not there. */
export function missingPages(texts: Texts, exists: (path: string) => boolean): readonly string[] {
  return [...texts].flatMap(([path, text]) =>
    [...text.matchAll(/\bdocs\/[\w/-]+\.md\b/g)].flatMap(([page]) => (exists(page) ? [] : [`${path}: names ${page}, which is not there`])),
  );
}

const SOURCE = /`((?:bench|build|demo|nginx|packaging|python|src|test)\/[\w./-]+)`/g;

/** Files and folders of the repository that a page names in code letters, and that are not there. `NAME` stands for any name. */
export function missingSources(pages: Texts, exists: (path: string) => boolean): readonly string[] {
  return [...pages].flatMap(([path, text]) =>
    [...text.matchAll(SOURCE)].flatMap(([, place = '']) =>
      place.includes('NAME') || exists(place.replace(/\/$/, '')) ? [] : [`${path}: names ${place}, which is not there`],
    ),
  );
}

/** Pages of docs/ that the index does not link to. */
export function unlistedPages(pages: Texts): readonly string[] {
  const listed = new Set(links(proseLines(pages.get('docs/README.md') ?? '')).map(({ text }) => join('docs', text)));
  return [...pages.keys()].flatMap((path) =>
    path.startsWith('docs/') && path !== 'docs/README.md' && !listed.has(path) ? [`${path}: docs/README.md does not list it`] : [],
  );
}
