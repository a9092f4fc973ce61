// The draft of this person, on the set that it was made from. It is stored in this tab, so that a login does not lose it.
import { useSuspenseQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useDraft } from '../../app/drafts.ts';
import { type Draft, type Files, filesOf, onto, parseDraft, renderDraft, withFile } from './draft.ts';
import { policiesQuery, revisionQuery } from './queries.ts';
import type { Policies } from './shapes.ts';

export interface PolicyDraft {
  readonly inForce: Policies;
  readonly draft: Draft | undefined;
  /** The set that the draft was made from. */
  readonly base: Files;
  /** The set that the draft would bring into force. */
  readonly files: Files;
  /** Another set has come into force since. */
  readonly isOutdated: boolean;
  change(name: string, text: string | null): void;
  discard(): void;
  /** Goes on from the set in force. */
  moveOn(next: Pick<Policies, 'revision' | 'files'>): void;
}

export function usePolicyDraft(): PolicyDraft {
  const inForce = useSuspenseQuery(policiesQuery).data;
  const { text, setText, drop } = useDraft('policies', '');
  const draft = useMemo(() => parseDraft(text), [text]);
  const revision = draft?.base ?? inForce.revision;
  const stored = useSuspenseQuery({ ...revisionQuery(revision), ...(revision === inForce.revision && { initialData: inForce.files }) }).data;
  const files = useMemo(() => filesOf(stored, draft), [stored, draft]);
  return {
    inForce,
    draft,
    base: stored,
    files,
    isOutdated: draft !== undefined && draft.base !== inForce.revision,
    change: (name, next) => setText(renderDraft(withFile(draft ?? { base: inForce.revision, changes: {} }, stored, { name, text: next }))),
    discard: drop,
    moveOn: (next) => draft !== undefined && setText(renderDraft(onto(draft, next))),
  };
}
