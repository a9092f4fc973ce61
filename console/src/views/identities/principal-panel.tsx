import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMe, whyNot } from '../../app/session.ts';
import { useChangeUrl } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { useAsked } from './asked.ts';
import { LastUse, Words } from './cells.tsx';
import { type Detail, detailQuery, socketsQuery } from './data.ts';
import { Listed } from './listed.tsx';
import { TokenButtons } from './token-buttons.tsx';

/** One principal: what it may do and why, and with which credentials it comes. */
export function PrincipalPanel({ id }: { readonly id: string }) {
  const change = useChangeUrl();
  const query = useQuery(detailQuery(id));
  return (
    <Panel title={<UntrustedText text={id} longest={120} />} onClose={() => change({ who: '' })}>
      <Listed query={query} isEmpty={query.data === undefined} empty={null}>
        {query.data !== undefined && <Details detail={query.data} />}
      </Listed>
    </Panel>
  );
}

function Details({ detail }: { readonly detail: Detail }) {
  const { id, kind, idp, groups, refused_as: refused, notes } = detail;
  return (
    <>
      {refused !== null && (
        <p className="notice danger">
          <span>
            Every request is refused: <strong>{refused}</strong>
          </span>
        </p>
      )}
      <dl className="facts">
        <dt>Kind</dt>
        <dd>{kind}</dd>
        {idp !== null && <dt>Provider</dt>}
        {idp !== null && <dd>{idp}</dd>}
        {idp !== null && <dt>Groups</dt>}
        {idp !== null && (
          <dd>
            <Words words={groups} most={100} />
          </dd>
        )}
      </dl>
      {notes.map((note) => (
        <p key={note} className="muted">
          <UntrustedText text={note} longest={400} />
        </p>
      ))}
      <RolesPart detail={detail} />
      <CredentialsPart detail={detail} />
      <SocketsPart id={id} />
      <Actions detail={detail} />
    </>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="panel-part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function RolesPart({ detail: { roles } }: { readonly detail: Detail }) {
  return (
    <Part title="Roles">
      {roles.length === 0 && <p className="muted">No role: every request is denied by default.</p>}
      <ul className="lines">
        {roles.map(({ role, scope, from }) => (
          <li key={`${role} ${scope}`}>
            <span>
              <Tag>{role}</Tag> {scope ?? <span className="muted">on everything</span>}
            </span>
            {from.map((each) => (
              <span key={each} className="under">
                from <UntrustedText text={each} longest={120} />
              </span>
            ))}
          </li>
        ))}
      </ul>
    </Part>
  );
}

function CredentialsPart({ detail: { tokens, sessions, logins } }: { readonly detail: Detail }) {
  if (tokens.length + sessions.length + logins.length === 0)
    return (
      <Part title="Credentials">
        <p className="muted">No token, no session and no login of a client.</p>
      </Part>
    );
  return (
    <Part title="Credentials">
      <ul className="lines">
        {tokens.map((token) => (
          <Credential
            key={token.id}
            title="Token"
            began={['created', token.created_at]}
            at={token.last_used_at}
            from={token.last_used_from}
            buttons={<TokenButtons token={token} />}
          />
        ))}
        {sessions.map((session) => (
          <Credential
            key={session.id}
            title={session.current ? 'This browser' : 'Browser'}
            began={['logged in', session.created_at]}
            at={session.last_seen_at}
            from={session.last_seen_from}
            buttons={<End id={session.id} />}
          />
        ))}
        {logins.map((login) => (
          <Credential
            key={login.id}
            title={login.client}
            began={['logged in', login.created_at]}
            at={login.last_used_at}
            from={null}
            buttons={<End id={login.id} />}
          />
        ))}
      </ul>
    </Part>
  );
}

interface CredentialProps {
  readonly title: string;
  /** How and when it came to be. */
  readonly began: readonly [how: string, at: string];
  readonly at: string | null;
  readonly from: string | null;
  readonly buttons: ReactNode;
}

function Credential({ title, began: [how, since], at, from, buttons }: CredentialProps) {
  return (
    <li className="line-buttons">
      <span>
        <UntrustedText text={title} longest={60} />
        <span className="under">
          {how} <Time iso={since} />
        </span>
        <span className="under">
          used <LastUse at={at} from={from} />
        </span>
      </span>
      {buttons}
    </li>
  );
}

function End({ id }: { readonly id: string }) {
  const { ask } = useAsked();
  return (
    <Button small kind="quiet" whyNot={whyNot(useMe(), 'access.write')} onPress={() => ask('end', id)}>
      End
    </Button>
  );
}

function SocketsPart({ id }: { readonly id: string }) {
  const { data } = useQuery(socketsQuery(id));
  const { ask } = useAsked();
  const bar = whyNot(useMe(), 'access.write');
  const sockets = data?.sockets ?? [];
  return (
    <Part title="Open sockets">
      {sockets.length === 0 && <p className="muted">None.</p>}
      <ul className="lines">
        {sockets.map(({ id: socket, target, since }) => (
          <li key={socket} className="line-buttons">
            <span>
              <UntrustedText text={target} longest={80} />
              <span className="under">
                since <Time iso={since} relative />
              </span>
            </span>
            <Button small kind="quiet" whyNot={bar} label={`Close ${target}`} onPress={() => ask('close', socket)}>
              Close
            </Button>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Actions({ detail: { id, kind, locks } }: { readonly detail: Detail }) {
  const { ask } = useAsked();
  const bar = whyNot(useMe(), 'access.write');
  const own = locks.find(({ kind, value }) => kind === 'principal' && value === id);
  return (
    <div className="row">
      <Link className="button" to="/search" search={{ q: `principal:${/\s/.test(id) ? JSON.stringify(id) : id}` }}>
        Its records
      </Link>
      <Link className="button" to="/access" search={{ who: id }}>
        What it may do
      </Link>
      {own === undefined ? (
        <Button kind="danger" whyNot={bar} onPress={() => ask('lock', id)}>
          {kind === 'agent' ? 'Stop' : 'Lock'}
        </Button>
      ) : (
        <Button whyNot={bar} onPress={() => ask('unlock', id)}>
          {kind === 'agent' ? 'Resume' : 'Unlock'}
        </Button>
      )}
    </div>
  );
}
