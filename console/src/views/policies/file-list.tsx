import { Link } from '@tanstack/react-router';
import { useChangeUrl } from '../../app/url-state.ts';
import type { FileState, ListedFile } from './draft.ts';
import type { DraftProblem } from './shapes.ts';

interface FileListProps {
  readonly listed: readonly ListedFile[];
  readonly current: string | undefined;
  readonly problems: readonly DraftProblem[];
}

export function FileList({ listed, current, problems }: FileListProps) {
  const changeUrl = useChangeUrl();
  return (
    <nav className="policies-files" aria-label="Files">
      <ul>
        {listed.map(({ name, state }) => (
          <li key={name}>
            <FileLink {...{ name, state }} isCurrent={name === current} problems={problems.filter(({ file }) => file === name).length} />
          </li>
        ))}
      </ul>
      <button type="button" className="button quiet" onClick={() => changeUrl({ dialog: 'new' })}>
        New file
      </button>
    </nav>
  );
}

const WORDS: Readonly<Record<FileState, string>> = { same: '', added: 'new', changed: 'changed', removed: 'removed' };

function FileLink({ name, state, isCurrent, problems }: ListedFile & { readonly isCurrent: boolean; readonly problems: number }) {
  return (
    <Link to={`/policies/${name}`} aria-current={isCurrent ? 'page' : undefined} className={`policies-file-link ${state}`}>
      <span className="policies-file-name">{name}</span>
      {problems > 0 && <span className="policies-badge deny">{problems === 1 ? '1 problem' : `${problems} problems`}</span>}
      {state !== 'same' && <span className="policies-badge">{WORDS[state]}</span>}
    </Link>
  );
}
