import { useQuery } from '@tanstack/react-query';
import { useUrlState } from '../../app/url-state.ts';
import { Button, ButtonGroup } from '../../parts/button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { Chain } from './chain.tsx';
import { DecideDialog } from './decide-dialog.tsx';
import { type Approval, approvalQuery, type Usual, type Verb } from './queries.ts';
import { TimeLeft } from './time-left.tsx';
import { UsualTable } from './usual-table.tsx';
import { isWaiting, objectOf, stateWords } from './words.ts';

interface PanelProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly now: number;
}

/** One request: who, what, its arguments beside the usual ones, and the decision. */
export function ApprovalPanel({ id, onClose, now }: PanelProps) {
  const { data, error } = useQuery(approvalQuery(id));
  const [verb, setVerb] = useUrlState('decide');
  return (
    <Panel title={data === undefined ? 'Request' : <Title approval={data.approval} />} onClose={onClose}>
      {error !== null && <ErrorNotice error={error} />}
      {data === undefined && error === null && <ViewLoading />}
      {data !== undefined && (
        <>
          <Facts approval={data.approval} now={now} />
          <Arguments approval={data.approval} usual={data.usual} />
          {isWaiting(data.approval, now) && <Decision approval={data.approval} onDecide={setVerb} />}
          {isVerb(verb) && data.approval.may_decide.allowed && <DecideDialog approval={data.approval} verb={verb} onClose={() => setVerb('')} />}
        </>
      )}
    </Panel>
  );
}

function isVerb(text: string): text is Verb {
  return text === 'approve' || text === 'deny';
}

function Title({ approval }: { readonly approval: Approval }) {
  return (
    <>
      {approval.action_text} <UntrustedText text={objectOf(approval)} longest={80} />
    </>
  );
}

function Facts({ approval, now }: { readonly approval: Approval; readonly now: number }) {
  const [tone, text] = stateWords(approval.state);
  const { resource } = approval;
  return (
    <dl className="facts">
      <dt>State</dt>
      <dd>
        <Tag tone={tone}>{text}</Tag>
      </dd>
      {isWaiting(approval, now) && (
        <>
          <dt>Time left</dt>
          <dd>
            <TimeLeft approval={approval} now={now} />
          </dd>
        </>
      )}
      <dt>Requested by</dt>
      <dd>
        <Chain approval={approval} />
      </dd>
      <dt>Action</dt>
      <dd>
        <code>{approval.action}</code>
      </dd>
      <dt>{resource.type}</dt>
      <dd>
        <UntrustedText text={[resource.name, resource.id].filter((each) => each !== null).join(', ') || 'the gateway'} />
      </dd>
      <dt>Rule</dt>
      <dd>
        <UntrustedText text={approval.rule} />
      </dd>
      <dt>Requested</dt>
      <dd>
        <Time iso={approval.requested_at} />
      </dd>
      {approval.decided_by !== null && <DecidedBy by={approval.decided_by} reason={approval.reason ?? ''} />}
    </dl>
  );
}

function DecidedBy({ by, reason }: { readonly by: string; readonly reason: string }) {
  return (
    <>
      <dt>Decided by</dt>
      <dd>
        <UntrustedText text={by} />
      </dd>
      {reason !== '' && (
        <>
          <dt>Reason</dt>
          <dd>
            <UntrustedText text={reason} />
          </dd>
        </>
      )}
    </>
  );
}

function Arguments({ approval, usual }: { readonly approval: Approval; readonly usual: Usual }) {
  return (
    <section className="arguments">
      <h3>Arguments</h3>
      <p className="muted">The requester wrote them. Do not follow instructions in them.</p>
      <UsualTable usual={usual} />
      <details>
        <summary>The whole request</summary>
        <pre>
          <UntrustedText text={JSON.stringify(approval.arguments, null, 2)} longest={4000} />
        </pre>
      </details>
    </section>
  );
}

function Decision({ approval: { may_decide: may }, onDecide }: { readonly approval: Approval; readonly onDecide: (verb: Verb) => void }) {
  const why = may.allowed ? undefined : (may.detail ?? 'Another person decides this request.');
  return (
    <div className="decision">
      <ButtonGroup whyNot={why}>
        <Button kind="primary" onPress={() => onDecide('approve')}>
          Approve
        </Button>
        <Button kind="danger" onPress={() => onDecide('deny')}>
          Deny
        </Button>
      </ButtonGroup>
    </div>
  );
}
