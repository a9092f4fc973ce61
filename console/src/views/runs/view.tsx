import { Placeholder } from '../../parts/placeholder.tsx';

export default function RunsView() {
  return <Placeholder title="Runs" />;
}
