interface Stock {
  readonly article: string;
  readonly left: number;
}

/** What there is less of than there should be. */
export function count_stock(): readonly Stock[] {
  return [
    { article: 'strings', left: 3 },
    { article: 'picks', left: 11 },
  ];
}

/** Fills each shelf up to twenty. */
export function order_goods(stock: readonly Stock[]): { ordered: number } {
  return { ordered: stock.reduce((sum, { left }) => sum + 20 - left, 0) };
}

export function tell_buyer({ state }: { state: string }): string {
  return state === 'Succeeded' ? 'the goods are ordered' : `nothing was ordered: ${state}`;
}
