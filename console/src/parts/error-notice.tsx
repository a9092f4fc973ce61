import { needsFreshLogin, needsLogin, Problem } from '../api/problem.ts';
import { loginAddress } from '../app/base.ts';

/** What went wrong and what to do; for a login that is too long ago, the way to a new one. */
export function ErrorNotice({ error }: { readonly error: Error }) {
  // The shell says it above the view.
  if (needsLogin(error)) return null;
  return (
    <div className="notice danger" role="alert">
      <div>
        <p>
          <strong>{error.message}</strong> {error instanceof Problem && !needsFreshLogin(error) && error.hint}
        </p>
        {needsFreshLogin(error) && <p>Log in again to continue. Your text stays.</p>}
        {error instanceof Problem && error.requestId !== '' && (
          <small>
            {error.code}, request {error.requestId}
          </small>
        )}
      </div>
      {needsFreshLogin(error) && (
        <a className="button" href={loginAddress({ fresh: true })}>
          Log in again
        </a>
      )}
    </div>
  );
}
