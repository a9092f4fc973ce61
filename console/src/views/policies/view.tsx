import { Placeholder } from '../../parts/placeholder.tsx';

export default function PoliciesView() {
  return <Placeholder title="Policies" />;
}
