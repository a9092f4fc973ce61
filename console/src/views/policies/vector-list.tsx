import type { Files } from './draft.ts';
import type { Report, VectorOutcome } from './shapes.ts';
import { useGoTo } from './use-go-to.ts';

interface VectorListProps {
  readonly report: Report | undefined;
  readonly isChecking: boolean;
  readonly files: Files;
}

/** The decision vectors of the draft: failed ones first. */
export function VectorList({ report, isChecking, files }: VectorListProps) {
  const vectors = [...(report?.vectors ?? [])].sort((a, b) => Number(a.holds) - Number(b.holds));
  const failed = vectors.filter(({ holds }) => !holds).length;
  return (
    <aside className="policies-vectors" aria-label="Decision vectors">
      <h2>Decision vectors</h2>
      <p role="status" className={failed > 0 ? 'policies-verdict deny' : 'policies-verdict'}>
        {report === undefined || (isChecking && vectors.length > 0) ? 'Running …' : summary(vectors.length, failed, { report, files })}
      </p>
      <ul>
        {vectors.map((vector) => (
          <Vector key={`${vector.file}:${vector.line}:${vector.name}`} vector={vector} />
        ))}
      </ul>
    </aside>
  );
}

function summary(all: number, failed: number, { report, files }: { readonly report: Report; readonly files: Files }): string {
  if (all > 0) return failed === 0 ? `All ${all} hold.` : `${failed} of ${all} fail.`;
  const hasFiles = Object.keys(files).some((name) => name.endsWith('.vectors.yaml'));
  if (!hasFiles) return 'None yet. A file NAME.vectors.yaml has questions with the decision that you expect.';
  return report.problems.length > 0 ? 'They run when the policies have no problem.' : 'The files have none.';
}

function Vector({ vector }: { readonly vector: VectorOutcome }) {
  const goTo = useGoTo();
  const { file, line, name, action, expect, holds, problem } = vector;
  return (
    <li className={holds ? 'holds' : 'deny'}>
      <button type="button" onClick={() => goTo(file, { line, column: null })}>
        <span className="policies-mark" role="img" aria-label={holds ? 'holds' : 'fails'}>
          {holds ? '✓' : '✗'}
        </span>
        <span className="policies-vector-name">{name}</span>
        <span className="policies-place">
          {expect} {action}
        </span>
        {problem !== null && <span className="policies-remedy">{problem}</span>}
      </button>
    </li>
  );
}
