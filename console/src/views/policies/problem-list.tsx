import type { DraftProblem, Report } from './shapes.ts';
import { useGoTo } from './use-go-to.ts';

interface ProblemListProps {
  readonly report: Report | undefined;
  readonly isChecking: boolean;
}

/** Every problem of the draft, also in other files. */
export function ProblemList({ report, isChecking }: ProblemListProps) {
  const { problems = [], warnings = [] } = report ?? {};
  return (
    <div className="policies-problems">
      <p role="status" className={problems.length > 0 ? 'policies-verdict deny' : 'policies-verdict'}>
        {report === undefined || isChecking ? 'Checking …' : verdict(problems.length, warnings.length)}
      </p>
      <ul>
        {problems.map((problem) => (
          <Problem key={keyOf(problem)} problem={problem} tone="deny" />
        ))}
        {warnings.map((problem) => (
          <Problem key={keyOf(problem)} problem={problem} tone="unsure" />
        ))}
      </ul>
    </div>
  );
}

function Problem({ problem, tone }: { readonly problem: DraftProblem; readonly tone: 'deny' | 'unsure' }) {
  const goTo = useGoTo();
  const { file, line, column, message, remedy } = problem;
  return (
    <li className={tone}>
      <button type="button" onClick={() => file !== null && goTo(file, problem)}>
        <span className="policies-place">{[file, line, column].filter((part) => part !== null).join(':')}</span>
        <span>
          {tone === 'unsure' && 'Warning: '}
          {message}
        </span>
        <span className="policies-remedy">{remedy}</span>
      </button>
    </li>
  );
}

function keyOf({ file, line, column, message }: DraftProblem): string {
  return JSON.stringify([file, line, column, message]);
}

function verdict(problems: number, warnings: number): string {
  const said = problems === 0 ? 'No problem' : problems === 1 ? '1 problem' : `${problems} problems`;
  return warnings === 0 ? `${said}.` : `${said}, ${warnings === 1 ? '1 warning' : `${warnings} warnings`}.`;
}
