import { Problem } from '../api/problem.ts';
import { Button } from './button.tsx';
import { ErrorNotice } from './error-notice.tsx';
import { PageHead } from './page-head.tsx';

/** A view that threw, or whose file could not be loaded: after an upgrade the old files are gone. */
export function ViewFailed({ error }: { readonly error: unknown }) {
  return (
    <>
      <PageHead title="This view cannot be shown">
        <Button onPress={() => location.reload()}>Load the page again</Button>
      </PageHead>
      {error instanceof Problem ? (
        <ErrorNotice error={error} />
      ) : (
        <p className="notice danger" role="alert">
          The console failed here, or its files have changed since you opened it. Load the page again.
        </p>
      )}
    </>
  );
}
