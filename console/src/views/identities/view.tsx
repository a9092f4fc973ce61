import { Placeholder } from '../../parts/placeholder.tsx';

export default function IdentitiesView() {
  return <Placeholder title="Identities" />;
}
