import { Placeholder } from '../../parts/placeholder.tsx';

export default function AccessView() {
  return <Placeholder title="Access" />;
}
