import { useChangeUrl } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';

export function NoFiles() {
  const changeUrl = useChangeUrl();
  return (
    <EmptyState title="No own policies yet">
      <p>The built-in roles decide. A policy of your own permits or forbids single actions beyond them.</p>
      <div className="row">
        <Button kind="primary" onPress={() => changeUrl({ dialog: 'new' })}>
          Write the first one
        </Button>
        <Button onPress={() => changeUrl({ tab: 'effect' })}>See what one would change</Button>
      </div>
    </EmptyState>
  );
}
