import { rowText, type GraphElement, type GraphRole } from './graph-element.ts';

/** The ends of a drawn element: where an arrow comes in, where one goes out. */
interface Ends {
  readonly entries: readonly string[];
  readonly exits: readonly string[];
}

const handlerRoles: ReadonlySet<GraphRole> = new Set(['link', 'linkError', 'finally']);

/** A graph in Mermaid's language, as Markdown on most forges shows it. */
export function mermaidText(root: GraphElement): string {
  const drawing = new Drawing();
  drawing.draw(root);
  return `${['flowchart TD', ...drawing.lines].join('\n')}\n`;
}

class Drawing {
  readonly lines: string[] = [];
  #drawn = 0;

  draw(element: GraphElement): Ends {
    const members = element.children.filter(({ role }) => !handlerRoles.has(role));
    const ends = this.#body(element, members);
    for (const handler of element.children.filter(({ role }) => handlerRoles.has(role))) {
      const id = this.#node(handler.label, ['([', '])']);
      for (const exit of ends.exits) this.lines.push(`  ${exit} -. ${handler.role} .-> ${id}`);
    }
    return ends;
  }

  #body(element: GraphElement, members: readonly GraphElement[]): Ends {
    switch (element.kind) {
      case 'task':
        return this.#single(rowText({ ...element, role: 'member' }), ['[', ']']);
      case 'chain':
        return this.#inTurn(members.map((member) => () => this.draw(member)));
      case 'group':
        return this.#sideBySide(members);
      case 'chord':
        return this.#inTurn([
          () => this.#sideBySide(members.filter(({ role }) => role === 'header')),
          ...members.filter(({ role }) => role === 'body').map((body) => () => this.draw(body)),
        ]);
      case 'map':
        return this.#map(element, members);
    }
  }

  #map(element: GraphElement, members: readonly GraphElement[]): Ends {
    const title = rowText({ ...element, role: 'member' });
    if (members.length === 0) return this.#single(title, ['[[', ']]']);
    const id = this.#nextId();
    this.lines.push(`  subgraph ${id}["${escaped(title)}"]`);
    const ends = this.#inTurn(members.map((member) => () => this.draw(member)));
    this.lines.push('  end');
    return ends;
  }

  #inTurn(steps: readonly (() => Ends)[]): Ends {
    const [first, ...rest] = steps;
    if (first === undefined) return this.#single('nothing', ['((', '))']);
    const begun = first();
    let { exits } = begun;
    for (const step of rest) {
      const next = step();
      this.#join(exits, next.entries);
      ({ exits } = next);
    }
    return { entries: begun.entries, exits };
  }

  #sideBySide(members: readonly GraphElement[]): Ends {
    const ends = members.map((member) => this.draw(member));
    if (ends.length === 0) return this.#single('empty', ['((', '))']);
    return { entries: ends.flatMap(({ entries }) => entries), exits: ends.flatMap(({ exits }) => exits) };
  }

  /** Many to many go through a point, or the drawing is all arrows. */
  #join(exits: readonly string[], entries: readonly string[]): void {
    if (exits.length > 1 && entries.length > 1) {
      const point = this.#node(' ', ['((', '))']);
      this.#join(exits, [point]);
      this.#join([point], entries);
      return;
    }
    for (const exit of exits) for (const entry of entries) this.lines.push(`  ${exit} --> ${entry}`);
  }

  #single(text: string, shape: readonly [string, string]): Ends {
    const id = this.#node(text, shape);
    return { entries: [id], exits: [id] };
  }

  #node(text: string, [open, close]: readonly [string, string]): string {
    const id = this.#nextId();
    this.lines.push(`  ${id}${open}"${escaped(text)}"${close}`);
    return id;
  }

  #nextId(): string {
    this.#drawn += 1;
    return `s${this.#drawn}`;
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '#amp;').replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('>', '#gt;');
}
