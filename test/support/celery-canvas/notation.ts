import type { Canvas, CanvasTask } from './canvas.ts';

/**
 * One line for a person: `chain(t0, group(t1✗, t2), t3!>t4~t5)`. ✗ fails, ! takes nothing in; > stands before what is
 * linked, ~ before an errback. Arguments and what tasks give are left out.
 */
export function shown(canvas: Canvas): string {
  const handlers = [
    ...(canvas.link ?? []).map((each) => `>${shown(each)}`),
    ...(canvas.linkError ?? []).map((each) => `~${shown(each)}`),
  ].join('');
  const list = (each: readonly Canvas[]): string => each.map(shown).join(', ');
  if ('chain' in canvas) return `chain(${list(canvas.chain)})${handlers}`;
  if ('group' in canvas) return `group(${list(canvas.group)})${handlers}`;
  if ('chord' in canvas) return `chord([${list(canvas.chord.header)}], ${shown(canvas.chord.body)})${handlers}`;
  const { task, kwargs, immutable } = canvas;
  return `${kwargs.at}${task === 'fail' ? '✗' : ''}${immutable === true ? '!' : ''}${handlers}`;
}

/** The canvas that `shown` would show so. Throws an Error that says where it stopped. */
export function canvasOf(text: string): Canvas {
  const reading: Reading = { text: text.replaceAll(/[\s,]/g, ' '), at: 0 };
  const canvas = readElement(reading);
  if (reading.at < reading.text.length) throw misread(reading);
  return canvas;
}

interface Reading {
  readonly text: string;
  at: number;
}

function readElement(reading: Reading): Canvas {
  return { ...readBare(reading), ...readHandlers(reading) };
}

function readBare(reading: Reading): Canvas {
  if (take(reading, /chain\(/y) !== undefined) return { chain: readList(reading, ')') };
  if (take(reading, /group\(/y) !== undefined) return { group: readList(reading, ')') };
  if (take(reading, /chord\(\[/y) === undefined) return readTask(reading, false);
  const header = readList(reading, ']');
  const [body, ...others] = readList(reading, ')');
  if (body === undefined || others.length > 0) throw misread(reading);
  return { chord: { header, body } };
}

function readList(reading: Reading, end: string): readonly Canvas[] {
  const members: Canvas[] = [];
  while (take(reading, end === ')' ? /\)/y : /\]/y) === undefined) members.push(readElement(reading));
  return members;
}

function readTask(reading: Reading, isErrback: boolean): CanvasTask {
  const found = take(reading, /(t\d+)(✗?)(!?)/y);
  if (found === undefined) throw misread(reading);
  const [, at = '', fails, immutable] = found;
  const task = isErrback ? 'told' : fails === '✗' ? 'fail' : 'succeed';
  return { task, kwargs: { at }, ...(immutable === '!' ? { immutable: true } : {}) };
}

function readHandlers(reading: Reading): Pick<CanvasTask, 'link' | 'linkError'> {
  const link: CanvasTask[] = [];
  const linkError: CanvasTask[] = [];
  for (let sign = take(reading, /[>~]/y); sign !== undefined; sign = take(reading, /[>~]/y)) {
    const isErrback = sign[0] === '~';
    (isErrback ? linkError : link).push(readTask(reading, isErrback));
  }
  return { ...(link.length === 0 ? {} : { link }), ...(linkError.length === 0 ? {} : { linkError }) };
}

/** What stands next, if it is that; blanks before it do not matter. */
function take(reading: Reading, pattern: RegExp): RegExpExecArray | undefined {
  while (reading.text[reading.at] === ' ') reading.at += 1;
  pattern.lastIndex = reading.at;
  const found = pattern.exec(reading.text);
  if (found === null) return undefined;
  reading.at = pattern.lastIndex;
  return found;
}

function misread({ text, at }: Reading): Error {
  return new Error(`no canvas: ${text.slice(0, at)} ⟨here⟩ ${text.slice(at)}`);
}
