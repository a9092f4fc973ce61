// The prose check finds what it should, and nothing else.
import { describe, expect, it } from 'vitest';
import { anchors, proseLines } from './markdown.ts';
import { beyondAllowed, longSentences, lowered } from './prose.ts';
import { brokenLinks, missingPages, missingSources, unlistedPages } from './prose-links.ts';
import { wordsInComments, wordsInNames, wordsInPages } from './prose-words.ts';

const MARK = '<!-- Made from the code';
const page = (text: string) => new Map([['docs/a.md', text]]);
const words = (count: number) => `${Array.from({ length: count }, () => 'word').join(' ')}.`;

describe('a long sentence', () => {
  it.each([
    ['a paragraph', words(31)],
    ['a paragraph of several lines', `${words(20).slice(0, -1)}\n${words(11)}`],
    ['a list item', `- short\n- ${words(31)}`],
    ['a line below a list item', `- begins\n  ${words(31)}`],
    ['a text with a link', `${words(29).slice(0, -1)} [a b](c.md).`],
  ])('is found in %s', (_what, text) => {
    expect(longSentences(page(text))).toMatchObject([{ key: 'long sentence' }]);
  });

  it.each([
    ['thirty words', words(30)],
    ['two sentences', `${words(20)} ${words(20)}`],
    ['two list items', `- ${words(20).slice(0, -1)}\n- ${words(20)}`],
    ['a table', `| a | b |\n| --- | --- |\n| ${words(40)} | c |`],
    ['a code block', `Run:\n\n    ${words(40)}\n\n\`\`\`\n${words(40)}\n\`\`\``],
    ['code in a list', `- run\n\n      ${words(40)}`],
    ['inline code, which is one word', `Use \`${words(40)}\` here.`],
    ['what is generated', `${MARK} -->\n\n${words(40)}`],
  ])('is none in %s', (_what, text) => {
    expect(longSentences(page(text))).toEqual([]);
  });
});

describe('a banned word', () => {
  it('is found in prose, in comments and in exported names', () => {
    expect(wordsInPages(page('Whoever asks is told.'), MARK).map(({ key }) => key)).toEqual(['whoever', 'told']);
    expect(wordsInComments(new Map([['a.ts', 'const x = 1; // kept for later\n/** Somebody asks. */']])).map(({ key }) => key)).toEqual([
      'comment: kept',
      'comment: somebody',
    ]);
    expect(wordsInNames(new Map([['a.ts', 'export interface KinParts {}\nexport async function reloadTold() {}']])).map(({ key }) => key)).toEqual([
      'name: kin',
      'name: told',
    ]);
  });

  it('is none in code, in strings, inside other words, or in names that stay in their file', () => {
    expect(wordsInPages(page('`kept` and kept-alive, untold\n\n    whoever'), MARK)).toEqual([]);
    expect(wordsInComments(new Map([['a.ts', "const kept = 'somebody';"]]))).toEqual([]);
    expect(wordsInNames(new Map([['a.ts', 'const kin = 1;\nexport const kindOf = 2;']]))).toEqual([]);
  });

  it('is allowed as often as it was, and that number only falls', () => {
    const twice = [1, 2].map((line) => ({ key: 'kept', text: `a.md:${line}` }));
    expect(beyondAllowed(twice, { kept: 2 })).toEqual([]);
    expect(beyondAllowed(twice, { kept: 1 }).slice(1)).toEqual(['a.md:1', 'a.md:2']);
    expect(beyondAllowed(twice, {})).toEqual(['a.md:1', 'a.md:2']);
    expect(lowered({ kept: 5, told: 3 }, twice)).toEqual({ kept: 2 });
    expect(lowered({ kept: 1 }, twice)).toEqual({ kept: 1 });
    expect(lowered({}, twice)).toEqual({});
  });
});

describe('a link', () => {
  const exists = (path: string) => ['docs/a.md', 'docs/b.md', 'src/x.ts'].includes(path);
  const pages = new Map([
    ['docs/a.md', '[b](b.md) [part](b.md#one-part) [code](../src/x.ts) [out](https://example.com) [here](#title)\n\n# Title\n\n[ref]: b.md'],
    ['docs/b.md', '# B\n\n## One `part`'],
  ]);

  it('to a page, a heading or a file that is there is fine', () => {
    expect(brokenLinks(pages, exists)).toEqual([]);
    expect([...anchors(proseLines("## A key's `x_y`, and more"))]).toEqual(['a-keys-x_y-and-more']);
  });

  it.each(['[b](c.md)', '[part](b.md#other-part)', '[here](#nowhere)', '[code](../src/y.ts)', '[ref]: c.md'])('%s is broken', (link) => {
    expect(brokenLinks(new Map([...pages, ['docs/a.md', `${link}\n\n# Title`]]), exists)).toHaveLength(1);
  });

  it('in code to a page that moved is broken, and so is a page that the index forgets', () => {
    expect(missingPages(new Map([['src/x.ts', "hint: 'see docs/b.md and docs/old.md.'"]]), exists)).toHaveLength(1);
    const named = page('`src/gone.ts`, `docs/b.md`, `src/NAME.ts`, `there/gone.ts`, src/gone.ts');
    expect(missingSources(named, exists)).toEqual(['docs/a.md: names src/gone.ts, which is not there']);
    expect(unlistedPages(new Map([...pages, ['docs/README.md', '[a](a.md)']]))).toEqual(['docs/b.md: docs/README.md does not list it']);
  });
});
