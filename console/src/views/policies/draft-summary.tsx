import { Link } from '@tanstack/react-router';
import { Patches } from './patch.tsx';
import { countChanges } from './patch-lines.ts';
import type { FilePatch } from './shapes.ts';
import type { Shown } from './shown.ts';

/** A difference of at most so many lines is open. */
const SHORT = 16;

/** Which draft the effect is of: what it changes in the policies in force. */
export function DraftSummary({ draft, report: last, isChecking }: Shown) {
  // While a check runs, the last report may be about another text.
  const report = isChecking ? undefined : last;
  const patches = report?.patches ?? [];
  const files = Object.keys(draft.draft?.changes ?? {});
  return (
    <details className="policies-draft card" open={report === undefined || linesOf(patches) <= SHORT}>
      <summary>
        <strong>Your draft</strong>, compared with {draft.inForce.revision === 0 ? 'the built-in policies alone' : `revision ${draft.inForce.revision}`}:{' '}
        {files.length === 1 ? '1 file' : `${files.length} files`} changed, <span className="mono">{files.join(', ')}</span>. It is not in force, and only this
        browser has it: your colleagues do not see it.
      </summary>
      {report === undefined ? <p role="status">Comparing …</p> : <Patches patches={patches} />}
      <Link to="/policies">Edit this draft</Link>
    </details>
  );
}

function linesOf(patches: readonly FilePatch[]): number {
  return patches.reduce((sum, { patch }) => {
    const { added, removed } = countChanges(patch);
    return sum + added + removed;
  }, 0);
}
