import { Time } from '../../parts/time.tsx';

export function When({ time }: { readonly time: string | null }) {
  return time === null ? 'an unknown time' : <Time iso={time} relative />;
}
