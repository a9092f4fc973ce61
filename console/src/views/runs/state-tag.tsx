import { Tag, type Tone } from '../../parts/tag.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { stateTone } from './say.ts';

const TONES = { good: 'good', bad: 'bad', warn: 'warn', active: 'info', calm: 'plain' } as const satisfies Readonly<Record<string, Tone>>;

export function StateTag({ name, type }: { readonly name: string; readonly type: string | null }) {
  return (
    <Tag tone={TONES[stateTone(type ?? name.toUpperCase())]}>
      <UntrustedText text={name} />
    </Tag>
  );
}
