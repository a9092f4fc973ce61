import { Placeholder } from '../../parts/placeholder.tsx';

export default function HealthView() {
  return <Placeholder title="Health" />;
}
