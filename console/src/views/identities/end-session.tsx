import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.ts';
import { can, useMe } from '../../app/session.ts';
import { Confirm } from './confirm.tsx';
import { mySessionsQuery } from './data.ts';
import { WRITE } from './use-change.ts';

/** A session of a browser, or the login of a client. Everybody may end the own ones. */
export function EndSession({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const { data } = useQuery(mySessionsQuery);
  const params = { params: { ...WRITE, path: { id } } };
  const me = useMe();
  const isThis = data?.sessions.some((session) => session.id === id && session.current) === true;
  const end = can(me, 'access.write') ? () => answerOf(api.DELETE('/sessions/{id}', params)) : () => answerOf(api.DELETE('/me/sessions/{id}', params));
  return (
    <Confirm title="End the session?" verb="End the session" onClose={onClose} work={end}>
      <p>Its next request is denied and its sockets close. The person may log in again; to keep the person out, set a lock.</p>
      {isThis && <p className="notice warning">This is the session of this browser: you will have to log in again.</p>}
    </Confirm>
  );
}
