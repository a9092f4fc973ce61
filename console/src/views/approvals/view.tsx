import { Placeholder } from '../../parts/placeholder.tsx';

export default function ApprovalsView() {
  return <Placeholder title="Approvals" />;
}
