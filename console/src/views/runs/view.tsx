// Runs: the list, and the timeline of one.
import { useItemId } from '../../app/url-state.ts';
import { RunList } from './run-list.tsx';
import { RunPage } from './run-page.tsx';

export default function RunsView() {
  const id = useItemId();
  return id === undefined ? <RunList /> : <RunPage key={id} id={id} />;
}
