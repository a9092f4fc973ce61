// The views of the console: one entry for each. The navigation shows those that the person may see.
import type { ComponentType } from 'react';
import type { Right } from './session.ts';

export interface ViewEntry {
  /** Its folder in views/, and the first segment of its address. The second one is the object that it shows. */
  readonly name: string;
  readonly title: string;
  readonly group: 'Observe' | 'Control' | 'System';
  /** Without it the view is absent. Null: for everybody who is signed in. */
  readonly right: Right | null;
  /** Lines on a grid of 16. */
  readonly icon: string;
  readonly load: () => Promise<{ readonly default: ComponentType }>;
}

export const VIEWS: readonly ViewEntry[] = [
  { name: 'runs', title: 'Runs', group: 'Observe', right: 'ledger.read', icon: 'M2 4h6M5 8h8M9 12h5', load: () => import('../views/runs/view.tsx') },
  {
    name: 'search',
    title: 'Who did what',
    group: 'Observe',
    right: 'ledger.read',
    icon: 'M7 3a4 4 0 1 1 0 8a4 4 0 1 1 0-8M10 10l4 4',
    load: () => import('../views/search/view.tsx'),
  },
  {
    name: 'access',
    title: 'Access',
    group: 'Control',
    right: 'access.read',
    icon: 'M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 11l2 2 3-4',
    load: () => import('../views/access/view.tsx'),
  },
  {
    name: 'policies',
    title: 'Policies',
    group: 'Control',
    right: 'access.read',
    icon: 'M4 2h6l3 3v9H4zM6 8h5M6 11h5',
    load: () => import('../views/policies/view.tsx'),
  },
  {
    name: 'identities',
    title: 'Identities',
    group: 'Control',
    right: null,
    icon: 'M8 2a3 3 0 1 1 0 6a3 3 0 1 1 0-6M2 14c1-4 11-4 12 0',
    load: () => import('../views/identities/view.tsx'),
  },
  {
    name: 'approvals',
    title: 'Approvals',
    group: 'Control',
    right: null,
    icon: 'M8 2l5 2v4c0 3-2 5-5 6c-3-1-5-3-5-6V4zM6 8l2 2 3-4',
    load: () => import('../views/approvals/view.tsx'),
  },
  { name: 'health', title: 'Health', group: 'System', right: 'gateway.read', icon: 'M1 8h3l2-5 3 10 2-5h4', load: () => import('../views/health/view.tsx') },
  {
    name: 'evidence',
    title: 'Evidence',
    group: 'System',
    right: 'access.read',
    icon: 'M3 2h10v12l-2-1-1.500 1L8 13l-1.500 1L5 13l-2 1zM6 6h4M6 9h4',
    load: () => import('../views/evidence/view.tsx'),
  },
  { name: 'start', title: 'First steps', group: 'System', right: null, icon: 'M3 14V2M3 3h9l-2 3 2 3H3', load: () => import('../views/start/view.tsx') },
];
