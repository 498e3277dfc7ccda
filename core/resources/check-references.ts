import { nearestWord } from '#core/base/nearest-word.ts';
import { refuse, type Walk } from './spec-walk.ts';
import { relationOf, type Reference } from './spot.ts';

const shownNames = 10;

/** Checks, once the whole tree is known, that what is spoken of by name is there, and has ended when it is asked for. */
export function checkReferences(walk: Walk): void {
  for (const reference of walk.references) {
    const message = problemOf(reference, walk);
    if (message !== undefined) refuse(walk, reference.path, message);
  }
}

function problemOf({ name, spot }: Reference, { names }: Walk): string | undefined {
  const shown = JSON.stringify(name.slice(0, 63));
  const step = names.get(name);
  if (step === undefined) return `speaks of ${shown}, but no element has that name; ${wayOut(name, [...names.keys()])}`;
  switch (relationOf(step.spot, spot)) {
    case 'Before':
      return undefined;
    case 'InMap':
      return `speaks of ${shown}, which runs for every item of a map (${step.path}); outside of it, speak of the map by a name of its own`;
    case 'Uncertain':
      return `speaks of ${shown} (${step.path}), which is not certain to have ended when this begins; put this after it in a chain, into the body of its chord, or into a handler`;
  }
}

function wayOut(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'give the element that is meant a name';
  const near = nearestWord(name, known);
  return near === undefined ? `known here are ${known.slice(0, shownNames).join(', ')}` : `did you mean ${near}?`;
}
