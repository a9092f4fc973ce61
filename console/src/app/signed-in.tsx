import { UntrustedText } from '../parts/untrusted-text.tsx';
import { LICTOR } from './base.ts';
import { forgetDrafts } from './drafts.ts';
import type { Me } from './session.ts';

/** The person, the roles, and the way out. The logout is a form, so that the session ends also if its answer is another page. */
export function SignedIn({ me }: { readonly me: Me }) {
  return (
    <div className="signed-in">
      <div className="who">
        <strong>
          <UntrustedText text={me.principal} longest={60} />
        </strong>
        <span>{me.roles.length === 0 ? 'no role' : me.roles.join(', ')}</span>
      </div>
      <form method="post" action={`${LICTOR}/logout`} onSubmit={forgetDrafts}>
        <button type="submit" className="button quiet small">
          Sign out
        </button>
      </form>
    </div>
  );
}
