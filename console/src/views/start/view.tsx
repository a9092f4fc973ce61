import { GATEWAY } from '../../app/base.ts';
import { CopyText } from '../../parts/copy-text.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Tag } from '../../parts/tag.tsx';
import { Found } from './found.tsx';
import { nextStep, type Seen, type Step, stepsFor } from './steps.ts';
import { useSeen } from './use-seen.ts';
import './start.css';

/** What to do with a new gateway. Each step is checked off when it has happened. */
export default function StartView() {
  const { seen, error } = useSeen();
  const steps = stepsFor(GATEWAY, seen);
  const next = nextStep(steps);
  return (
    <>
      <PageHead
        title="First steps"
        about={
          <>
            Clients use this gateway at <code>{GATEWAY}</code>. Each step is checked off when it has happened.
          </>
        }
      />
      <div className="stack">
        {error !== null && <ErrorNotice error={error} />}
        {steps.every(({ done }) => done === 'yes') && <p className="notice good">All of it has happened. Runs shows who started what.</p>}
        <ol className="steps">
          {steps.map((step, index) => (
            <StepItem key={step.name} step={step} number={index + 1} isNext={step === next} seen={seen} />
          ))}
        </ol>
      </div>
    </>
  );
}

interface ItemProps {
  readonly step: Step;
  readonly number: number;
  readonly isNext: boolean;
  readonly seen: Seen;
}

function StepItem({ step: { name, title, about, commands, done }, number, isNext, seen }: ItemProps) {
  return (
    <li className="card step" data-done={done} aria-current={isNext ? 'step' : undefined}>
      <span className="step-mark" aria-hidden="true">
        {done === 'yes' ? '✓' : number}
      </span>
      <div className="step-body">
        <div className="row">
          <h2>{title}</h2>
          {done === 'yes' && <Tag tone="good">done</Tag>}
          {isNext && <Tag tone="info">next</Tag>}
        </div>
        <p className="muted">{about}</p>
        {commands.map((command) => (
          <CopyText key={command} text={command} />
        ))}
        <div aria-live="polite">
          <Found name={name} seen={seen} />
        </div>
      </div>
    </li>
  );
}
