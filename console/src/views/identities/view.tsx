import type { ComponentType } from 'react';
import { can, useMe, whyNot } from '../../app/session.ts';
import { useUrlState } from '../../app/url-state.ts';
import { Button, ButtonGroup } from '../../parts/button.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { Agents } from './agents.tsx';
import { useAsked } from './asked.ts';
import { Dialogs } from './dialogs.tsx';
import { Groups } from './groups.tsx';
import './identities.css';
import { Locks } from './locks.tsx';
import { People } from './people.tsx';
import { PLACES, type Place, placeOf } from './places.ts';
import { PrincipalPanel } from './principal-panel.tsx';
import { Services } from './services.tsx';
import { MySessions, Sessions } from './sessions.tsx';
import { Sockets } from './sockets.tsx';

const SHOWN: Readonly<Record<Place, ComponentType>> = {
  people: People,
  services: Services,
  agents: Agents,
  groups: Groups,
  sessions: Sessions,
  locks: Locks,
  sockets: Sockets,
};

export default function IdentitiesView() {
  return can(useMe(), 'access.read') ? <Everybody /> : <Own />;
}

function Everybody() {
  const [tab] = useUrlState('tab', 'people');
  const [who] = useUrlState('who');
  const place = placeOf(tab);
  const Shown = SHOWN[place];
  return (
    <>
      <PageHead title="Identities" about="People, their sessions, tokens of services and agents, and what is connected now.">
        <HeadButtons place={place} />
      </PageHead>
      <Tabs label="Identities" name="tab" shown={place} tabs={PLACES.map(({ id, title }) => ({ value: id, title }))} />
      <div className={who === '' ? undefined : 'beside'}>
        <div className="minimal">
          <Shown />
        </div>
        {who !== '' && <PrincipalPanel key={who} id={who} />}
      </div>
      <Dialogs />
    </>
  );
}

function HeadButtons({ place }: { readonly place: Place }) {
  const { ask } = useAsked();
  const bar = whyNot(useMe(), 'access.write');
  return (
    <ButtonGroup whyNot={bar}>
      <Button onPress={() => ask('lock')}>Lock out…</Button>
      <Button kind={place === 'services' ? 'primary' : 'plain'} onPress={() => ask('create')}>
        Create a token
      </Button>
    </ButtonGroup>
  );
}

/** Without the right to see those of others. */
function Own() {
  return (
    <>
      <PageHead title="Your sessions" about="Where you are logged in. Those of other people need the right access.read." />
      <MySessions />
      <Dialogs />
    </>
  );
}
