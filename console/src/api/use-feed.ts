import { useEffect, useEffectEvent, useState } from 'react';
import { type FeedOptions, type FeedState, openFeed } from './feed.ts';

/** A feed while the component is shown. `path: null` closes it. A new path or cursor opens another one. */
export function useFeed({ path, cursor, event, onEvent }: Omit<FeedOptions, 'path' | 'onState'> & { readonly path: string | null }): FeedState | 'off' {
  const [state, setState] = useState<FeedState | 'off'>('off');
  const handle = useEffectEvent(onEvent);
  useEffect(() => {
    if (path === null) return setState('off');
    return openFeed({ path, cursor, event, onEvent: (data, at) => handle(data, at), onState: setState });
  }, [path, cursor, event]);
  return state;
}
