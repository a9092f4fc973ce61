import type { ReactNode } from 'react';

export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'info';

export function Tag({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ReactNode }) {
  return <span className={`tag ${tone}`}>{children}</span>;
}

const DECISIONS: Readonly<Record<string, readonly [tone: Tone, sign: string, text: string]>> = {
  allow: ['good', '✓', 'allowed'],
  deny: ['bad', '✕', 'denied'],
  approval: ['warn', '◷', 'with approval'],
  'approval-required': ['warn', '◷', 'with approval'],
};

/** A sign and a word, so that the colour is not needed. */
export function DecisionTag({ decision }: { readonly decision: string }) {
  const [tone, sign, text] = DECISIONS[decision] ?? ['plain', '', decision];
  return (
    <Tag tone={tone}>
      <span aria-hidden="true">{sign}</span>
      {text}
    </Tag>
  );
}
