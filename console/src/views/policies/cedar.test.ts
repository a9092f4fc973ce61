import { StringStream } from '@codemirror/language';
import { describe, expect, it } from 'vitest';
import { cedarToken, vectorToken } from './cedar.ts';

/** `text=token` for each coloured part. */
function colours(line: string, token: (stream: StringStream) => string | null): readonly string[] {
  const stream = new StringStream(line, 2, 2);
  const found: string[] = [];
  while (!stream.eol()) {
    stream.start = stream.pos;
    const kind = token(stream);
    expect(stream.pos).toBeGreaterThan(stream.start);
    if (kind !== null) found.push(`${stream.current()}=${kind}`);
  }
  return found;
}

describe('the colours', () => {
  it('of Cedar differ for annotations, effects, types, texts and comments', () => {
    expect(colours('@id("a\\"b") forbid (principal in Role::"x") // "no" permit', cedarToken)).toEqual([
      '@id=annotation',
      '"a\\"b"=string',
      'forbid=keyword',
      'principal=variableName.special',
      'in=controlKeyword',
      'Role=typeName',
      '"x"=string',
      '// "no" permit=lineComment',
    ]);
    expect(colours('when { context.facts.retries > 3 && true };', cedarToken)).toEqual([
      'when=controlKeyword',
      'context=variableName.special',
      'facts=propertyName',
      'retries=propertyName',
      '3=number',
      'true=bool',
    ]);
    expect(colours('"without an end', cedarToken)).toEqual(['"without an end=string']);
  });

  it('of vectors differ for keys, texts and decisions', () => {
    expect(colours('  - name: "a: b"  # why', vectorToken)).toEqual(['name=propertyName', '"a: b"=string', '# why=lineComment']);
    expect(colours('    principal: { roles: [viewer] }', vectorToken)).toEqual(['principal=propertyName', 'roles=propertyName']);
    expect(colours('expect: deny', vectorToken)).toEqual(['expect=propertyName', 'deny=bool']);
  });
});
