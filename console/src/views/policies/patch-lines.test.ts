import { expect, it } from 'vitest';
import { countChanges, patchLines } from './patch-lines.ts';

const PATCH = `--- a.cedar\trevision 3
+++ a.cedar\tthis draft
@@ -4,3 +4,4 @@
 same
---- removed
+new
+ newer
 end
\\ No newline at end of file
`;

it('a patch is shown line by line with the numbers of both texts', () => {
  expect(patchLines(PATCH).map(({ kind, text, before, after }) => [kind, text, before, after])).toEqual([
    ['hunk', '@@ -4,3 +4,4 @@', null, null],
    ['same', 'same', 4, 4],
    ['remove', '--- removed', 5, null],
    ['add', 'new', null, 5],
    ['add', ' newer', null, 6],
    ['same', 'end', 6, 7],
  ]);
  expect(countChanges(PATCH)).toEqual({ added: 2, removed: 1 });
});
