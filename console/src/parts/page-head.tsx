import { type ReactNode, useEffect } from 'react';

interface PageHeadProps {
  readonly title: string;
  /** One sentence: what this view answers. */
  readonly about?: ReactNode;
  /** Buttons at the right. */
  readonly children?: ReactNode;
}

export function PageHead({ title, about, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · Lictor`;
  }, [title]);
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
