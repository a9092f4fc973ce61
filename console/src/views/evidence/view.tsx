import { Placeholder } from '../../parts/placeholder.tsx';

export default function EvidenceView() {
  return <Placeholder title="Evidence" />;
}
