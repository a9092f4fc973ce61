// The tables of a gateway of several nodes.

export interface NodeTable {
  readonly name: string;
  /** Of the node's state directory. */
  readonly instance: string;
  readonly version: string;
  /** Digest of the configuration in use. Nodes with different ones decide differently. */
  readonly configuration: string;
  readonly started_ms: number;
  readonly seen_ms: number;
}

/** A key that all nodes need, sealed with the one key that an administrator copies to each node. */
export interface SharedKeyTable {
  readonly name: string;
  readonly sealed: string;
}

export interface PublishedRevisionTable {
  readonly id: 1;
  readonly number: number;
  readonly fingerprint: string;
}

/** Who does work that only one node may do. */
export interface DutyTable {
  readonly name: string;
  /** Grows with each new holder. Every write of a holder checks it. */
  readonly fence: number;
  readonly holder: string;
}

export const NODE_SCHEMA: readonly string[] = [
  `create table nodes (
    name text primary key not null,
    instance text not null,
    version text not null,
    configuration text not null,
    started_ms bigint not null,
    seen_ms bigint not null
  )`,
  'create table published_revision (id integer primary key not null, number bigint not null, fingerprint text not null)',
  'create table shared_keys (name text primary key not null, sealed text not null)',
  'create table duties (name text primary key not null, fence bigint not null, holder text not null)',
];
