import type { Plan } from '#core/canvas/plan.ts';
import type { Admission } from './admission.ts';
import type { Block, Blocks } from './blocks.ts';
import { DueTasks } from './due-tasks.ts';
import { addFold, newFold, type Fold } from './element-state.ts';
import { mostChanges, type Walk } from './walk.ts';

/** Members of one element that run side by side, one behind the other in the slots. */
export interface Row {
  readonly count: number;
  /** The first slot of a member. */
  readonly slotOf: (member: number) => number;
  /** Looks at some of them, the last not included. */
  readonly look: (walk: Walk, first: number, end: number) => Fold;
}

/** Where the members of a wide element stand together: only those are looked at again of which something may have changed. */
export function visitRow(walk: Walk, row: Row, admission: Admission): Fold {
  const { blocks } = walk;
  if (blocks === undefined) return row.look(walk, 0, row.count);
  const fold = newFold();
  let first = 0;
  // Where the last block ends is known by the member behind it.
  for (; first + blocks.members < row.count; first += blocks.members) {
    const block = blockAt(walk, blocks, { row, first, admission });
    if (block.due !== undefined) walk.due.addAll(block.due);
    walk.openHandlers += block.openHandlers;
    walk.nextDueTicks = earlier(walk.nextDueTicks, block.nextDueTicks);
    addFold(fold, block.fold);
  }
  addFold(fold, row.look(walk, first, row.count));
  return fold;
}

interface Place {
  readonly row: Row;
  readonly first: number;
  readonly admission: Admission;
}

/** What has something to change is looked at again in any case. */
function blockAt(walk: Walk, blocks: Blocks, { row, first, admission }: Place): Block {
  const end = first + blocks.members;
  const [from, to] = [row.slotOf(first), row.slotOf(end)];
  const known = blocks.evaluated.find(from, to);
  if (known !== undefined && holds(walk, known, admission)) return known;
  const own: Walk = { ...walk, due: new DueTasks(), nextDueTicks: undefined, openHandlers: 0 };
  const changes = walk.changes.length;
  const unfinished = changes + walk.runAgain.length;
  const fold = row.look(own, first, end);
  const block: Block = {
    ...{ fold, admission, isCancelled: walk.state.cancelled !== '', sinceTicks: walk.nowTicks },
    ...{ openHandlers: own.openHandlers, nextDueTicks: own.nextDueTicks },
    ...(own.due.slots.length === 0 ? {} : { due: own.due }),
  };
  if (walk.changes.length + walk.runAgain.length === unfinished && changes < mostChanges)
    blocks.evaluated.keep(from, to, block);
  return block;
}

function holds({ state, nowTicks }: Walk, block: Block, admission: Admission): boolean {
  if (block.admission !== admission || block.isCancelled !== (state.cancelled !== '')) return false;
  return nowTicks >= block.sinceTicks && nowTicks < (block.nextDueTicks ?? Infinity);
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

const withMaps = new WeakMap<readonly number[], boolean>();

/** Whether a map stands within these members of an element: its members' slots lie elsewhere. */
export function holdMap(plan: Plan, members: readonly number[]): boolean {
  const known = withMaps.get(members);
  if (known !== undefined) return known;
  // The last one is never looked at together with others.
  const found = plan.steps.slice(members[0], members.at(-1)).some(({ kind }) => kind === 'Map');
  withMaps.set(members, found);
  return found;
}
