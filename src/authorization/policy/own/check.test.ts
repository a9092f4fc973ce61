import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderProblem } from '../../../config/problem.ts';
import { collectActions } from '../../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../../prefect/catalog/catalogue.ts';
import { checkPolicyFiles, loadOwnPolicies } from './check.ts';
import { splitStatements } from './statements.ts';

const actions = collectActions(OPERATIONS);
const PERMIT = 'permit (principal, action == Action::"flows.read", resource);';

function check(text: string, more: Readonly<Record<string, string>> = {}) {
  return checkPolicyFiles(actions, { 'a.cedar': text, ...more });
}

/** `line:column message` of each problem. */
function told(text: string, more?: Readonly<Record<string, string>>): readonly string[] {
  return check(text, more).problems.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);
}

describe('cutting a text into policies', () => {
  it('heeds comments and strings with semicolons, and keeps what has no end', () => {
    const text = '// a; b\n@id("x;\\";y") permit (principal, action, resource); // c;\n\nforbid (principal\n';
    expect(splitStatements(text)).toEqual([
      { text: '@id("x;\\";y") permit (principal, action, resource);', start: 8 },
      { text: 'forbid (principal', start: text.indexOf('forbid') },
    ]);
    expect(splitStatements('// only a comment; really\n  ')).toEqual([]);
  });
});

describe('own policies', () => {
  it('are taken with their names, texts and descriptions', () => {
    const { policies, problems, warnings } = check(`@id("team-read")\n@description("Team reads flows")\n${PERMIT}\n`);
    expect([problems, warnings]).toEqual([[], []]);
    expect(Object.keys(policies.texts)).toEqual(['team-read']);
    expect(policies.sources.get('team-read')).toEqual({ file: 'a.cedar', line: 1, description: 'Team reads flows' });
  });

  it('say every problem at once, each with file, line, column and remedy', () => {
    const text = [
      `// Grüße; "\n${PERMIT}`,
      `@id("viewer") ${PERMIT}`,
      `@id("twice") ${PERMIT}`,
      `@id("twice") ${PERMIT}`,
      `@id("has space") ${PERMIT}`,
      `@id("ask") @approval("leads") ${PERMIT}`,
      `@id("typo") @aproval("leads") ${PERMIT}`,
      '@id("broken") permit (principal, action resource);',
      '@id("ü-no") permit (principal == ?principal, action, resource);',
      '@id("template") permit (principal == ?principal, action, resource);',
      '@id("unknown") permit (principal, action == Action::"flows.explode", resource);',
      '@id("attr") forbid (principal, action, resource) when { "ü" != "" && principal.shoe == 1 };',
      '@id("maybe") forbid (principal, action, resource) when { context.facts.force };',
    ].join('\n');
    const { problems } = check(text, { 'b.cedar': `@id("twice") ${PERMIT}` });
    expect(problems.map(({ file, line, column }) => `${file}:${line}:${column}`)).toEqual([
      'a.cedar:2:1',
      'a.cedar:3:1',
      'a.cedar:5:1',
      'a.cedar:6:1',
      'a.cedar:7:12',
      'a.cedar:8:13',
      'a.cedar:9:41',
      'a.cedar:10:1',
      'a.cedar:11:1',
      'a.cedar:12:45',
      'a.cedar:13:70',
      'a.cedar:14:58',
      'b.cedar:1:1',
    ]);
    const words = problems.map(({ message, remedy }) => `${message} ${remedy}`);
    for (const [at, part] of [
      'has no @id',
      'built-in',
      'a.cedar:4',
      'is no name',
      'not built yet',
      'Did you mean @approval?',
      'unexpected token',
      'template',
      'template',
      'docs/reference/roles.md lists',
      '`shoe`',
      'context.facts has NAME',
      'a.cedar:4',
    ].entries()) {
      expect(words[at]).toContain(part);
    }
    expect(problems.every(({ remedy }) => remedy !== '')).toBe(true);
  });

  it('are held against how values of parameters are written', () => {
    const forbid = (condition: string) =>
      `@id("x") forbid (principal, action == Action::"deployments.run", resource) unless { context.facts has parameter_values && ${condition} };`;
    const values = 'context.facts.parameter_values';
    for (const condition of [
      `["region=\\"eu\\"", "n=1", "n=?", "a={\\"b\\":[]}"].containsAll(${values})`,
      `${values}.contains("n=-1.5")`,
      `["n=1"].contains("n=1.0")`,
      `(if principal.kind == "user" then ["n=1"] else ["n=2"]).containsAll(${values})`,
    ])
      expect([condition, told(forbid(condition))]).toEqual([condition, []]);
    for (const [condition, text, remedy] of [
      [`["region=eu"].containsAll(${values})`, 'region=eu', 'Write NAME=VALUE'],
      [`${values}.contains("n=1.0")`, 'n=1.0', 'Write n=1.'],
      [`${values}.containsAny(["n=1", "o={\\"b\\":1,\\"a\\":2}"])`, 'o={"b":1,"a":2}', 'Write o={"a":2,"b":1}.'],
      [`${values} == ["region"]`, 'region', 'Write NAME=VALUE'],
      [`(if principal.kind == "user" then ["n=1"] else ["n= 2"]).containsAll(${values})`, 'n= 2', 'Write n=2.'],
    ] as const) {
      const { problems } = check(forbid(condition));
      expect(problems).toMatchObject([{ file: 'a.cedar', message: `policy x looks for ${JSON.stringify(text)}, and no parameter is written so` }]);
      expect(problems[0]?.remedy).toContain(remedy);
    }
    // Cedar's own check knows their types, and that they may be absent.
    expect(told('@id("x") forbid (principal, action, resource) when { context.facts.parameter_values.contains("n=1") };')).toHaveLength(1);
    expect(told(forbid(`${values} == 1`))).toHaveLength(1);
    expect(told(forbid(`${values}.contains(1)`))).toHaveLength(1);
  });

  it('propose the action that was meant, and none where nothing is near', () => {
    const remedy = (action: string) => check(`@id("a") permit (principal, action in Action::"${action}", resource);`).problems[0]?.remedy;
    expect(remedy('configur')).toMatch(/^Did you mean Action::"configure"\?/);
    expect(remedy('flow_runs.cancle')).toMatch(/^Did you mean Action::"flow_runs.cancel"\?/);
    expect(remedy('something.else')).toMatch(/^docs\/reference\/roles\.md/);
  });

  it('propose an entity type or an attribute only where the name is nearly one, and say what a principal is', () => {
    const remedy = (scope: string, condition = '') => check(`@id("a") permit (${scope}) ${condition};`).problems[0]?.remedy;
    expect(remedy('principal, action, resource == Deploymnt::"x"')).toMatch(
      /^Did you mean `Deployment`\? The principal is written as in Principal::"alice@local"/,
    );
    for (const type of ['User', 'Person', 'Prefect::User'])
      expect(remedy(`principal == ${type}::"alice@local", action, resource`)).toMatch(/^The principal is written/);
    expect(remedy('principal, action, resource', 'when { principal.role == "admin" }')).toBe('docs/reference/policies.md lists what a policy can see.');
    expect(remedy('principal, action, resource', 'when { principal.kindd == "user" }')).toMatch(/^Did you mean `kind`\?/);
  });

  it('render as file:line:column', () => {
    const [problem] = check(`\n  ${PERMIT}`).problems;
    expect(problem && renderProblem('lictor.yaml', problem)).toMatch(/^a\.cedar:2:3 {2}the policy has no @id\n {4}Write @id/);
  });

  it('have a warning when they can never match, or name a role that no principal can have, and are accepted', () => {
    const text = `@id("never") forbid (principal, action == Action::"flows.read", resource is Variable);\n@id("role") permit (principal in Role::"oprator", action, resource);`;
    const { problems, warnings } = check(text);
    expect(problems).toEqual([]);
    expect(warnings.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
      expect.stringMatching(/^1:\d+ policy never can never match/),
      expect.stringMatching(/^2:34 policy role names the role "oprator"/),
    ]);
  });

  it('report one mistake once, although it concerns every action', () => {
    expect(told('@id("a") forbid (principal, action, resource) when { context.facts.magic && context.moon };')).toEqual([
      expect.stringContaining('a.cedar:1:54 attribute `facts.magic` in the context not found'),
      expect.stringContaining('a.cedar:1:77 attribute `moon` in the context not found'),
    ]);
  });
});

describe('the directory of own policies', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lictor-policies-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const put = (name: string, text: string | Buffer = `@id("${name}") ${PERMIT}`): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const load = () => loadOwnPolicies(actions, directory);

  it('gives its policies and vectors, through links too, and nothing else', () => {
    mkdirSync(join(directory, '..data'));
    writeFileSync(join(directory, '..data', 'real.cedar'), `@id("linked") ${PERMIT}`);
    symlinkSync(join('..data', 'real.cedar'), join(directory, 'linked.cedar'));
    put('b.cedar');
    put('b.vectors.yaml', 'vectors: []\n');
    put('README.md', 'no policy');
    put('.hidden.cedar', 'no policy');
    const { policies, problems } = load();
    expect(problems).toEqual([]);
    expect(Object.keys(policies.files)).toEqual(['b.cedar', 'b.vectors.yaml', 'linked.cedar']);
    expect(Object.keys(policies.texts)).toEqual(['b.cedar', 'linked']);
  });

  it.each<readonly [string, () => void, string]>([
    ['a file that everybody may write', () => chmodSync(put('a.cedar'), 0o666), 'every user'],
    ['a directory that everybody may write', () => chmodSync(directory, 0o777), 'every user'],
    ['a directory in place of a file', () => mkdirSync(join(directory, 'a.cedar')), 'no regular file'],
    ['a link that leads nowhere', () => symlinkSync('nowhere', join(directory, 'a.cedar')), 'cannot be read'],
    ['a file that is too large', () => void put('a.cedar', `//${'x'.repeat(300_000)}`), '256 KiB'],
    ['bytes that are no text', () => void put('a.cedar', Buffer.from([0xff, 0xfe])), 'not UTF-8'],
    ['no directory at all', () => rmSync(directory, { recursive: true }) ?? mkdirSync(`${directory}.moved`), 'does not exist'],
  ])('is refused with %s', (_what, prepare, words) => {
    prepare();
    const { problems } = load();
    expect(problems.map(({ message }) => message).join()).toContain(words);
    rmSync(`${directory}.moved`, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  });

  it('is refused with more bytes than are read, and with one less it is not', () => {
    const comment = (bytes: number) => `//${'x'.repeat(bytes - 2)}`;
    put('a.cedar', comment(262_144));
    put('b.cedar', comment(262_144));
    put('c.cedar', comment(131_073));
    expect(load().problems.map(({ message }) => message)).toEqual([`${directory} holds 655361 bytes of policies and vectors; at most 640 KiB are read`]);
    put('c.cedar', comment(131_072));
    expect(load().problems).toEqual([]);
  });

  it('is refused with too many files', () => {
    for (let n = 0; n < 501; n += 1) put(`p${n}.cedar`, '');
    expect(load().problems[0]?.message).toContain('at most 500');
  });

  it('is not asked for where none is configured', () => {
    expect(loadOwnPolicies(actions, null)).toMatchObject({ problems: [], policies: { texts: {} } });
  });
});
