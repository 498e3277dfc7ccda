/** An element as a test writes it: the fields of the schema that say what follows what. */
export interface Written {
  readonly task?: string;
  readonly args?: readonly unknown[];
  readonly immutable?: boolean;
  readonly chain?: readonly Written[];
  readonly group?: readonly Written[];
  readonly chord?: { readonly header: readonly Written[]; readonly body: Written };
  readonly map?: WrittenMap;
  readonly name?: string;
  readonly when?: string;
  readonly onFailure?: 'Continue';
  readonly link?: readonly Written[];
  readonly linkError?: readonly Written[];
}

export interface WrittenMap extends Pick<Written, 'task' | 'args'> {
  readonly each?: Written;
  readonly over?: readonly unknown[];
  readonly range?: number;
  readonly unpack?: boolean;
}

type State = 'Succeeded' | 'PassedOver' | 'Continued' | 'Failed';
type Call = readonly [task: string, args: readonly unknown[]];

interface Ended {
  readonly state: State;
  readonly value: unknown;
  /** The call that failed first, in the order written, with what it was called with. */
  readonly failed?: Call;
}

interface Input {
  readonly value: unknown;
  readonly unpack: boolean;
}

/**
 * What the pages of documentation promise of a canvas, worked out by recursion over what its author wrote: no plan, no
 * slots. Tasks by name: `boom` fails, `seven` returns 7, any other returns the list of its arguments.
 */
export class ReferenceCanvas {
  readonly calls: Call[] = [];
  readonly #named = new Map<string, unknown>();

  run(spec: Written): Ended {
    return this.#element(spec, undefined);
  }

  #element(element: Written, input: Input | undefined): Ended {
    const ended = this.#unhandled(element, input);
    if (element.name !== undefined) this.#named.set(element.name, ended.state === 'Failed' ? null : ended.value);
    this.#callHandlers(element, ended);
    return ended;
  }

  #callHandlers({ link = [], linkError = [] }: Written, { state, value, failed }: Ended): void {
    if (state === 'Succeeded') for (const each of link) this.#call(each, { value, unpack: false });
    if (failed === undefined) return;
    for (const { task, args = [] } of linkError) this.calls.push([task ?? '', [failed, ...args]]);
  }

  #unhandled(element: Written, input: Input | undefined): Ended {
    if (element.when === 'false') return { state: 'PassedOver', value: input?.value ?? null };
    const isJudged = element.when === undefined || element.when === 'true';
    const ended = isJudged ? this.#inner(element, input) : this.#itself(element, input);
    if (ended.state === 'Failed' && element.onFailure === 'Continue')
      return { ...ended, state: 'Continued', value: null };
    return ended;
  }

  /** It failed before anything in it began. */
  #itself(element: Written, input: Input | undefined): Ended {
    if (element.task !== undefined) return { state: 'Failed', value: null, failed: this.#asCalled(element, input) };
    const [kind] = ['chain', 'group', 'chord', 'map'].filter((each) => each in element);
    return { state: 'Failed', value: null, failed: [`arpeggio.${kind ?? ''}`, []] };
  }

  #inner(element: Written, input: Input | undefined): Ended {
    if (element.chain !== undefined) return this.#chain(element.chain, input);
    if (element.group !== undefined)
      return this.#sideBySide(element.group.map((each) => () => this.#element(each, input)));
    if (element.chord !== undefined) return this.#chord(element.chord, input);
    if (element.map !== undefined) return this.#map(element.map, element, input);
    return this.#call(element, input);
  }

  #chain(members: readonly Written[], input: Input | undefined): Ended {
    let next = input;
    for (const member of members) {
      const ended = this.#element(member, next);
      if (ended.state === 'Failed') return ended;
      next =
        ended.state === 'PassedOver' && next === undefined
          ? { value: null, unpack: false }
          : { value: ended.value, unpack: false };
    }
    return { state: 'Succeeded', value: next?.value ?? null };
  }

  #sideBySide(members: readonly (() => Ended)[]): Ended {
    const all = members.map((run) => run());
    const failed = all.find(({ state }) => state === 'Failed');
    if (failed !== undefined) return failed;
    return { state: 'Succeeded', value: all.map(({ state, value }) => (state === 'PassedOver' ? null : value)) };
  }

  #chord({ header, body }: NonNullable<Written['chord']>, input: Input | undefined): Ended {
    const list = this.#sideBySide(header.map((each) => () => this.#element(each, input)));
    if (list.state === 'Failed') return list;
    const ended = this.#element(body, { value: list.value, unpack: false });
    return ended.state === 'Failed' ? ended : { state: 'Succeeded', value: ended.value };
  }

  #map(map: WrittenMap, element: Written, input: Input | undefined): Ended {
    const range = map.range === undefined ? undefined : Array.from({ length: map.range }, (_, item) => item);
    const items = map.over ?? range ?? input?.value;
    if (!Array.isArray(items)) return this.#itself(element, input);
    const each: Written = map.each ?? { task: map.task ?? '', args: map.args ?? [] };
    return this.#sideBySide(
      items.map((value: unknown) => () => this.#element(each, { value, unpack: map.unpack ?? false })),
    );
  }

  #call(element: Written, input: Input | undefined): Ended {
    const call = this.#asCalled(element, input);
    if (isNoList(element, input)) return { state: 'Failed', value: null, failed: [element.task ?? '', []] };
    this.calls.push(call);
    const [task, args] = call;
    if (task === 'boom') return { state: 'Failed', value: null, failed: call };
    return { state: 'Succeeded', value: task === 'seven' ? 7 : args };
  }

  #asCalled({ task = '', args = [], immutable = false }: Written, input: Input | undefined): Call {
    const own = args.map((each) => this.#filled(each));
    if (immutable || input === undefined) return [task, own];
    if (!input.unpack) return [task, [input.value, ...own]];
    return Array.isArray(input.value) ? [task, [...(input.value as unknown[]), ...own]] : [task, []];
  }

  #filled(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || !('$result' in value)) return value;
    return this.#named.get(String(value.$result)) ?? null;
  }
}

function isNoList({ immutable = false }: Written, input: Input | undefined): boolean {
  return input?.unpack === true && !immutable && !Array.isArray(input.value);
}
