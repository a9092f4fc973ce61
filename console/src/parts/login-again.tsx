import { loginAddress } from '../app/base.ts';

/** The session has ended. The page below it stays as it is. */
export function LoginAgain() {
  return (
    <div className="notice warning" role="alert">
      <p>
        <strong>You are signed out.</strong> The session has ended, or it was ended elsewhere. Your place and your unsaved text stay.
      </p>
      <a className="button primary" href={loginAddress()}>
        Log in again
      </a>
    </div>
  );
}
