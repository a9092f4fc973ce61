import { Link } from '@tanstack/react-router';
import { ROOT } from './base.ts';
import { can, type Me } from './session.ts';
import { VIEWS, type ViewEntry } from './views.ts';

/** Only what the person may see. */
export function Navigation({ me }: { readonly me: Me }) {
  const views = VIEWS.filter(({ right }) => right === null || can(me, right));
  const groups = [...new Set(views.map(({ group }) => group))];
  return (
    <nav aria-label="Console">
      {groups.map((group) => (
        <section key={group} aria-labelledby={`nav-${group}`}>
          <h2 id={`nav-${group}`}>{group}</h2>
          <ul>
            {views
              .filter((view) => view.group === group)
              .map((view) => (
                <li key={view.name}>
                  <ViewItem view={view} />
                </li>
              ))}
          </ul>
        </section>
      ))}
      <a className="nav-item away" href={`${ROOT}/`}>
        <Icon path="M9 3h4v4M13 3L7 9M11 9v4H3V5h4" />
        Prefect
      </a>
    </nav>
  );
}

function ViewItem({ view }: { readonly view: ViewEntry }) {
  return (
    <Link className="nav-item" to={`/${view.name}`} activeOptions={{ exact: false, includeSearch: false }} activeProps={{ 'aria-current': 'page' }}>
      <Icon path={view.icon} />
      {view.title}
    </Link>
  );
}

function Icon({ path }: { readonly path: string }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
