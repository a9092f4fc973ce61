import { type ReactNode, useEffect } from 'react';

interface PageHeadProps {
  readonly title: string;
  /** One sentence: what this view answers. */
  readonly about?: ReactNode;
  /** Buttons at the right. */
  readonly children?: ReactNode;
}

/** For a view with a head of its own. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Lictor`;
  }, [title]);
}

export function PageHead({ title, about, children }: PageHeadProps) {
  usePageTitle(title);
  return (
    <div className="page-head">
      <div>
        <h1>{title}</h1>
        {about !== undefined && <p>{about}</p>}
      </div>
      {children !== undefined && <div className="actions">{children}</div>}
    </div>
  );
}
