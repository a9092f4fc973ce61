import { useQuery } from '@tanstack/react-query';
import { Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { needsLogin } from '../api/problem.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { LoginAgain } from '../parts/login-again.tsx';
import { Connection } from './connection.tsx';
import { Navigation } from './navigation.tsx';
import { meQuery } from './session.ts';
import { useSessionWatch } from './session-watch.ts';
import { SignedIn } from './signed-in.tsx';

/** The frame of every view. */
export function Shell() {
  const { data: me, error } = useQuery(meQuery);
  const view = useLocation({ select: ({ pathname }) => pathname.split('/').find((each) => each !== '') ?? '' });
  const [openIn, setOpenIn] = useState<string>();
  const isOpen = openIn === view;
  const main = useMainFocus(view);
  useSessionWatch();
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="side">
        <div className="brand">
          <Mark />
          <span>Lictor</span>
          <button type="button" className="menu-button" aria-expanded={isOpen} aria-controls="menu" onClick={() => setOpenIn(isOpen ? undefined : view)}>
            Menu
          </button>
        </div>
        <div className="menu" id="menu" data-open={isOpen}>
          {me !== undefined && <Navigation me={me} />}
          {me !== undefined && <SignedIn me={me} />}
        </div>
      </header>
      <main id="main" className="main" tabIndex={-1} ref={main}>
        <Connection />
        {me !== undefined && <Outlet />}
        {me === undefined && needsLogin(error) && <LoginAgain />}
        {me === undefined && error !== null && !needsLogin(error) && <ErrorNotice error={error} />}
      </main>
    </div>
  );
}

/** The focus goes to the new view, as it does after a navigation of a browser. */
function useMainFocus(view: string) {
  const main = useRef<HTMLElement>(null);
  const shown = useRef(view);
  useEffect(() => {
    if (shown.current !== view) main.current?.focus({ preventScroll: true });
    shown.current = view;
  }, [view]);
  return main;
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M11.500 8v16h9.500" />
    </svg>
  );
}
