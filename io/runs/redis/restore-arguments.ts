import type { RestoreRequest } from '#core/workflow/restore.ts';
import { placeOfSlot } from '#core/workflow/unfolded.ts';
import type { RunKey } from '../run-store.ts';
import type { ScriptArgument } from './advance-arguments.ts';

/** What `restoreScript` is called with. */
export function restoreArguments(
  run: RunKey,
  { fence, head, slots, kept, maps, ledger, outbox }: RestoreRequest,
  ledgers: string,
): ScriptArgument[] {
  const headFields: ScriptArgument[] = Object.entries({
    ...head,
    roundsAt: head.roundsAt.join(' '),
    run48: run.run48,
  }).flat();
  if (maps.size > 0) headFields.push('maps', 1);
  for (const [map, { base, count, width }] of maps) headFields.push(`m:${map}`, `${base} ${count} ${width}`);
  for (const [queue, held] of ledger) headFields.push(`q:${queue}`, held);
  const args: ScriptArgument[] = [fence, head.rev, run.uid, run.run48, Buffer.from(slots), ledgers];
  args.push(headFields.length, kept.size * 2, outbox.length, ledger.size * 2, ...headFields);
  for (const [at, text] of kept) {
    const { step, member } = placeOfSlot(maps, at);
    args.push(`${step}:${member}`, text);
  }
  for (const entry of outbox) args.push(entry);
  for (const [queue, held] of ledger) args.push(queue, held);
  return args;
}
