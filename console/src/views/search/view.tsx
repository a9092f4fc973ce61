import { Placeholder } from '../../parts/placeholder.tsx';

export default function SearchView() {
  return <Placeholder title="Search" />;
}
