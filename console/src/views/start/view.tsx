import { Placeholder } from '../../parts/placeholder.tsx';

export default function StartView() {
  return <Placeholder title="Start" />;
}
