/**
 * Where the members of a map stand that has been unfolded: from slot `base` on, `width` slots a member. The steps of the
 * map's `each` are numbered after the map itself, so member `i` of step `s` stands at `base + i × width + s − (map + 1)`.
 */
export interface Unfolded {
  readonly base: number;
  /** Members. */
  readonly count: number;
  /** Steps within the map's `each`, handlers included; at least 1. */
  readonly width: number;
}

/** By the step of the map. */
export type UnfoldedMaps = ReadonlyMap<number, Unfolded>;

/** What a slot is about; member 0 of a step that stands in no map. */
export interface Place {
  readonly step: number;
  readonly member: number;
}

/** The unfolded map in whose `each` a step stands. */
export interface OwningMap {
  readonly map: number;
  readonly unfolded: Unfolded;
}

export function owningMap(maps: UnfoldedMaps, step: number): OwningMap | undefined {
  for (const [map, unfolded] of maps) {
    if (step > map && step <= map + unfolded.width) return { map, unfolded };
  }
  return undefined;
}

/** What is added to the index of a step within a map's `each` to find its slot for one member. */
export function memberOffset(map: number, { base, width }: Unfolded, member: number): number {
  return base + member * width - (map + 1);
}

/** A literal step's slot is its own number. */
export function slotIndexWithin(owner: OwningMap | undefined, { step, member }: Place): number {
  return owner === undefined ? step : step + memberOffset(owner.map, owner.unfolded, member);
}

/** Looks at every map: callers with a plan know the owner without looking. */
export function slotIndexOf(maps: UnfoldedMaps, place: Place): number {
  return slotIndexWithin(owningMap(maps, place.step), place);
}

/** The other way round. A slot within no unfolded map is a literal step's. */
export function placeOfSlot(maps: UnfoldedMaps, at: number): Place {
  for (const [map, { base, count, width }] of maps) {
    const offset = at - base;
    if (offset < 0 || offset >= count * width) continue;
    return { step: map + 1 + (offset % width), member: Math.floor(offset / width) };
  }
  return { step: at, member: 0 };
}

/** Whether a slot means the same member here and there: after a loss two may have unfolded one map apart. */
export function isSameMember(at: number, here: UnfoldedMaps, there: UnfoldedMaps): boolean {
  for (const [map, { base, count, width }] of there) {
    if (at < base || at >= base + count * width) continue;
    const same = here.get(map);
    return same?.base === base && same.count === count;
  }
  return ![...here.values()].some(({ base, count, width }) => at >= base && at < base + count * width);
}
