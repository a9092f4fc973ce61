import type { ReactNode } from 'react';
import type { operations } from '../api/schema.d.ts';
import { DecisionTag, Tag } from './tag.tsx';
import { UntrustedText } from './untrusted-text.tsx';
import './explanation.css';

export type Explained = operations['get_explain']['responses'][200]['content']['application/json'];
type Ask = Explained['explanation']['asks'][number];

/** The decision, what would change it, and each right with its policies and facts. */
export function Explanation({ explained: { explanation, with_approval: isHeld, remedies } }: { readonly explained: Explained }) {
  const { decision, detail, hint, request, asks, further, notes, principal } = explanation;
  return (
    <div className="stack">
      <p>
        <strong>
          <UntrustedText text={detail} longest={500} />
        </strong>{' '}
        {decision === 'deny' && hint}
      </p>
      <div className="row">
        <DecisionTag decision={isHeld ? 'approval' : decision} />
        {explanation.depends_on_body && <Tag tone="info">depends on the body</Tag>}
        <span className="muted mono">{explanation.reason}</span>
      </div>
      {request !== null && (
        <p className="mono">
          <UntrustedText text={`${request.method} ${request.path}${request.query === '' ? '' : `?${request.query}`}`} />
        </p>
      )}
      {remedies.length > 0 && <Texts title="What would change the answer" texts={remedies} />}
      {asks.map((ask) => (
        <AskFacts key={`${ask.action} ${ask.resource_type} ${ask.resource_id ?? ''}`} ask={ask} />
      ))}
      {further.length > 0 && <Texts title="A body may also need" texts={further.map(({ action, decision: each }) => `${action}: ${each}`)} />}
      {!principal.hypothetical && <Texts title="Roles" texts={principal.roles.map(roleText)} />}
      {notes.length > 0 && <Texts title="Notes" texts={notes} />}
    </div>
  );
}

function roleText({ role, scope, from }: Explained['explanation']['principal']['roles'][number]): string {
  return `${role}${scope === null ? '' : ` on ${scope}`}${from.length === 0 ? '' : `, from ${from.join(', ')}`}`;
}

function Texts({ title, texts }: { readonly title: string; readonly texts: readonly string[] }) {
  return (
    <section className="access-texts">
      <h3>{title}</h3>
      {texts.length === 0 && <p className="muted">None</p>}
      <ul>
        {[...new Set(texts)].map((text) => (
          <li key={text}>
            <UntrustedText text={text} longest={500} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function AskFacts({ ask }: { readonly ask: Ask }) {
  const facts = [...Object.entries(ask.facts), ...Object.entries(ask.attributes ?? {})].filter(([, value]) => String(value) !== '');
  return (
    <section className="access-ask">
      <div className="row">
        <DecisionTag decision={ask.decision} />
        <strong className="mono">{ask.action}</strong>
      </div>
      <dl className="facts">
        <Fact name="On">
          <UntrustedText text={ask.resource_id === null ? `any ${ask.resource_type}` : `${ask.resource_type} ${ask.resource_id}`} />
        </Fact>
        {ask.narrowed_to !== null && ask.narrowed_to.length > 0 && (
          <Fact name="Only in">
            <UntrustedText text={ask.narrowed_to.join(' or ')} />
          </Fact>
        )}
        <Fact name="Policies">
          {ask.policies.length === 0 && 'No policy permits it'}
          {ask.policies.map(({ id, file, line, description }) => (
            <div key={id} className="access-policy">
              <strong className="mono">{id}</strong>
              {file !== null && (
                <span className="muted mono">
                  <UntrustedText text={`${file}:${line ?? ''}`} />
                </span>
              )}
              {description !== '' && <UntrustedText text={description} longest={300} />}
            </div>
          ))}
        </Fact>
        {facts.map(([name, value]) => (
          <Fact key={name} name={name}>
            <UntrustedText text={Array.isArray(value) ? value.join(', ') : String(value)} />
          </Fact>
        ))}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
