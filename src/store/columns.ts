// What steps of the schema say of a column.

interface Column {
  notNull(): this;
  primaryKey(): this;
}

export function notNull<C extends Column>(column: C): C {
  return column.notNull();
}

export function primaryKey<C extends Column>(column: C): C {
  return column.primaryKey().notNull();
}
