// Cells that several tables of this view have.
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import type { RoleOrigin } from './data.ts';

interface LastUseProps {
  readonly at: string | null;
  readonly from: string | null;
  /** A reviewer looks for those that were never used. */
  readonly isNotable?: boolean;
}

export function LastUse({ at, from, isNotable = false }: LastUseProps) {
  if (at === null) return isNotable ? <Tag tone="warn">never</Tag> : <span className="muted">never</span>;
  return (
    <>
      <Time iso={at} relative />
      {from !== null && <span className="under">{from}</span>}
    </>
  );
}

export function Until({ at, words = 'no end' }: { readonly at: string | null; readonly words?: string }) {
  return at === null ? <span className="muted">{words}</span> : <Time iso={at} relative />;
}

export function Roles({ roles }: { readonly roles: readonly RoleOrigin[] }) {
  if (roles.length === 0) return <span className="muted">none</span>;
  return (
    <span className="tags">
      {roles.map(({ role, scope }) => (
        <span key={`${role} ${scope}`} className="role">
          <Tag tone={role === 'admin' ? 'info' : 'plain'}>{role}</Tag>
          {scope !== null && <span className="under">{scope}</span>}
        </span>
      ))}
    </span>
  );
}

/** `most`: of more words, only their number. */
export function Words({ words, most = 5 }: { readonly words: readonly string[]; readonly most?: number }) {
  if (words.length === 0) return <span className="muted">none</span>;
  return (
    <span className="tags">
      {words.slice(0, most).map((word) => (
        <Tag key={word}>
          <UntrustedText text={word} longest={60} />
        </Tag>
      ))}
      {words.length > most && <span className="muted">and {words.length - most} more</span>}
    </span>
  );
}

/** The principals that it acts for. */
export function Acts({ others }: { readonly others: readonly string[] }) {
  return (
    <span className="under">
      for <UntrustedText text={others.join(', ')} longest={120} />
    </span>
  );
}
