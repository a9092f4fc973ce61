import { useMemo } from 'react';
import { useItemId, useUrlState } from '../../app/url-state.ts';
import { listFiles } from './draft.ts';
import { Editor } from './editor.tsx';
import { FileList } from './file-list.tsx';
import { NoFiles } from './no-files.tsx';
import { ProblemList } from './problem-list.tsx';
import type { DraftProblem } from './shapes.ts';
import type { Shown } from './shown.ts';
import { VectorList } from './vector-list.tsx';

const NONE: readonly DraftProblem[] = [];

export function EditTab(shown: Shown) {
  const { draft, report } = shown;
  const listed = listFiles(draft.base, draft.draft);
  const item = useItemId();
  const current = listed.find(({ name }) => name === item) ?? listed[0];
  return (
    <div className="policies-edit">
      <FileList listed={listed} current={current?.name} problems={report?.problems ?? NONE} />
      {current === undefined ? <NoFiles /> : <CurrentFile {...shown} name={current.name} />}
      <VectorList report={report} isChecking={shown.isChecking} files={draft.files} />
    </div>
  );
}

function CurrentFile({ draft, report, isChecking, name }: Shown & { readonly name: string }) {
  const text = draft.files[name];
  const [problems, warnings] = useMemo(() => [ofFile(name, report?.problems), ofFile(name, report?.warnings)], [report, name]);
  const [[line], [column]] = [useUrlState('line'), useUrlState('column')];
  const target = useMemo(() => (line === '' ? undefined : { line: Number(line), column: column === '' ? null : Number(column) }), [line, column]);
  return (
    <section className="policies-file" aria-label={name}>
      <FileActions draft={draft} name={name} />
      {text === undefined ? (
        <p className="policies-removed">The draft removes this file.</p>
      ) : (
        <Editor key={name} {...{ name, text, problems, warnings, target }} readOnly={false} onChange={(next) => draft.change(name, next)} />
      )}
      <ProblemList report={report} isChecking={isChecking} />
    </section>
  );
}

function ofFile(name: string, problems: readonly DraftProblem[] = NONE): readonly DraftProblem[] {
  return problems.filter(({ file }) => file === name);
}

function FileActions({ draft, name }: Pick<Shown, 'draft'> & { readonly name: string }) {
  const isPresent = draft.files[name] !== undefined;
  const isChanged = draft.draft?.changes[name] !== undefined;
  return (
    <div className="policies-file-actions">
      <h2>{name}</h2>
      {isChanged && draft.base[name] !== undefined && (
        <button type="button" className="button quiet" onClick={() => draft.change(name, draft.base[name] ?? null)}>
          Restore
        </button>
      )}
      {isPresent && (
        <button type="button" className="button quiet" onClick={() => draft.change(name, null)}>
          Remove
        </button>
      )}
    </div>
  );
}
