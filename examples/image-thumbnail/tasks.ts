import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { current } from 'arpeggio';
import { decodePixmap, encodePixmap, paint, shrink } from './pixmap.ts';

type Picture = { readonly width: number; readonly height: number; readonly ppm: string };
type Outcome = { readonly state: string; readonly reason: string; readonly failed: string[] };

/** What the tasks leave behind on their worker while they work. */
const scratch = join(tmpdir(), 'pictures');

/** Stands for the upload of a user. Small pictures may travel as results; for large ones pass where they are. */
export function paint_image({ width, height }: { width: number; height: number }): Picture {
  return { width, height, ppm: keepCopy('original', encodePixmap(paint(width, height))) };
}

export function make_thumbnail(image: Picture, width: number): Picture {
  const small = shrink(decodePixmap(image.ppm), width);
  return { width: small.width, height: small.height, ppm: keepCopy('thumbnail', encodePixmap(small)) };
}

/** The result of the step before comes first, then the step's own arguments. */
export function notify_user(thumbnail: Picture, userId: string): { to: string; message: string } {
  return { to: userId, message: `your thumbnail of ${thumbnail.width} x ${thumbnail.height} is ready` };
}

/** Runs at the very end, whatever happened before, and is told what that was. */
export function clean_up({ state }: Outcome): { removed: number; after: string } {
  mkdirSync(scratch, { recursive: true });
  const removed = readdirSync(scratch).length;
  rmSync(scratch, { recursive: true });
  current().log.info('cleaned up', { removed, after: state });
  return { removed, after: state };
}

function keepCopy(name: string, base64: string): string {
  mkdirSync(scratch, { recursive: true });
  writeFileSync(join(scratch, `${name}-${current().request.id}.ppm`), Buffer.from(base64, 'base64'));
  return base64;
}
