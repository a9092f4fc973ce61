// Addresses: /VIEW and /VIEW/ID, with the state of the view in the query.
import { useQuery } from '@tanstack/react-query';
import { createRootRoute, createRoute, createRouter, Navigate } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { NotFound } from '../parts/not-found.tsx';
import { ViewFailed } from '../parts/view-failed.tsx';
import { ViewLoading } from '../parts/view-loading.tsx';
import { CONSOLE } from './base.ts';
import { firstView } from './first-view.ts';
import { Guarded } from './guarded.tsx';
import { parseSearch, stringifySearch } from './search-params.ts';
import { seenAnyQuery } from './seen-any.ts';
import { can, useMe } from './session.ts';
import { Shell } from './shell.tsx';
import { VIEWS, type ViewEntry } from './views.ts';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const index = createRoute({ getParentRoute: () => root, path: '/', component: FirstView });

const views = VIEWS.map(routeOf);

export const router = createRouter({
  routeTree: root.addChildren([index, ...views]),
  basepath: CONSOLE,
  parseSearch,
  stringifySearch,
  defaultPendingComponent: ViewLoading,
  defaultErrorComponent: ViewFailed,
  defaultPendingMs: 200,
  scrollRestoration: true,
});

/** The module of a view is loaded when the view is shown, and only for those who may see it. */
function routeOf(view: ViewEntry) {
  const Lazy = lazy(view.load);
  return createRoute({
    getParentRoute: () => root,
    path: `/${view.name}/{-$id}`,
    component: () => (
      <Guarded right={view.right}>
        <Suspense fallback={<ViewLoading />}>
          <Lazy />
        </Suspense>
      </Guarded>
    ),
  });
}

function FirstView() {
  const me = useMe();
  const { data: seen } = useQuery(seenAnyQuery(me));
  if (seen === undefined) return <ViewLoading />;
  const views = VIEWS.filter(({ right }) => right === null || can(me, right));
  return <Navigate to={`/${firstView(views, seen)}`} replace />;
}
