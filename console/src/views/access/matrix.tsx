import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useChangeUrl, useUrlValues } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Explanation } from '../../parts/explanation.tsx';
import { SelectField, TextField } from '../../parts/fields.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Tag } from '../../parts/tag.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { explainQuery, type Matrix, matrixQuery } from './data.ts';
import { type Chosen, MatrixTable } from './matrix-table.tsx';
import { GROUPS, STATES, shownColumns } from './states.ts';

/** Roles or principals by actions. A cell opens its explanation. */
export function MatrixTab() {
  const values = useUrlValues();
  const change = useChangeUrl();
  const { q = '', on = '', group = 'steer', actions: text = '', after = '', who = '', what = '' } = values;
  const rows = values['rows'] === 'principals' ? 'principals' : 'roles';
  const { data, error } = useQuery(matrixQuery({ rows, q, about: on, cursor: after }));
  const chosen = who === '' || what === '' ? undefined : { principal: who, action: what };
  return (
    <div className={chosen === undefined ? undefined : 'beside'}>
      <div className="stack">
        <Filters values={{ rows, q, on, group, text }} onChange={(changed) => change({ after: '', ...changed }, { replace: true })} />
        {error !== null && <ErrorNotice error={error} />}
        {data === undefined && error === null && <ViewLoading />}
        {data !== undefined && error === null && (
          <Shown data={data} group={group} text={text} chosen={chosen} onChoose={({ principal, action }) => change({ who: principal, what: action })} />
        )}
        {data?.next != null && (
          <div className="row">
            <Button onPress={() => change({ after: data.next ?? '' })}>Next principals</Button>
          </div>
        )}
      </div>
      {chosen !== undefined && <CellPanel key={`${who} ${what}`} chosen={chosen} about={on} onClose={() => change({ who: '', what: '' })} />}
    </div>
  );
}

interface FilterValues {
  readonly rows: string;
  readonly q: string;
  readonly on: string;
  readonly group: string;
  readonly text: string;
}

function Filters({ values, onChange }: { readonly values: FilterValues; readonly onChange: (changed: Readonly<Record<string, string>>) => void }) {
  const { rows, q, on, group, text } = values;
  const [about, setAbout] = useState(on);
  return (
    <form
      className="access-filters"
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ on: about.trim() });
      }}
    >
      <SelectField
        label="Rows"
        value={rows}
        onChange={(value) => onChange({ rows: value === 'roles' ? '' : value, q: '' })}
        options={[
          { value: 'roles', text: 'Built-in roles' },
          { value: 'principals', text: 'Principals' },
        ]}
      />
      {rows === 'principals' && <TextField label="Name contains" type="search" value={q} onChange={(value) => onChange({ q: value })} />}
      <SelectField
        label="Actions"
        value={group}
        onChange={(value) => onChange({ group: value === 'steer' ? '' : value })}
        options={[...Object.entries(GROUPS).map(([value, title]) => ({ value, text: title })), { value: 'all', text: 'All actions' }]}
      />
      <TextField label="Action contains" type="search" value={text} placeholder="flow_runs" onChange={(value) => onChange({ actions: value })} />
      <TextField label="Object or scope" type="search" value={about} placeholder="tags=team-a" onChange={setAbout} />
      <Button submits>Show</Button>
    </form>
  );
}

interface ShownProps {
  readonly data: Matrix;
  readonly group: string;
  readonly text: string;
  readonly chosen: Chosen | undefined;
  readonly onChoose: (chosen: Chosen) => void;
}

function Shown({ data, group, text, chosen, onChoose }: ShownProps) {
  const columns = shownColumns(data.columns, { group, text });
  if (data.absent !== null) return <EmptyState title={data.absent} />;
  if (data.rows.length === 0) return <EmptyState title="No principal has this name." />;
  if (columns.length === 0) return <EmptyState title="No action here is about that.">Choose another group of actions, or all actions.</EmptyState>;
  return (
    <>
      <ul className="row access-legend" aria-label="Signs">
        {Object.entries(STATES).map(([state, { sign, word, tone }]) => (
          <li key={state}>
            <Tag tone={tone}>
              <span aria-hidden="true">{sign}</span> {word}
            </Tag>
          </li>
        ))}
      </ul>
      <MatrixTable rows={data.rows} columns={columns} chosen={chosen} onChoose={onChoose} />
    </>
  );
}

function CellPanel({ chosen, about, onClose }: { readonly chosen: Chosen; readonly about: string; readonly onClose: () => void }) {
  const { data, error } = useQuery(explainQuery({ ...chosen, about }));
  return (
    <Panel
      title={
        <>
          <UntrustedText text={chosen.principal} longest={80} /> <span className="muted mono">{chosen.action}</span>
        </>
      }
      onClose={onClose}
    >
      {error !== null && <ErrorNotice error={error} />}
      {data === undefined && error === null && <ViewLoading />}
      {data !== undefined && <Explanation explained={data} />}
    </Panel>
  );
}
