import type { Organisation } from '../app/organisation';

export function named(en: string, hi = `${en} हिं`) {
  return {
    translations: [
      { language: 'en', text: en },
      { language: 'hi', text: hi },
    ],
  };
}

/** A party-style organisation of three levels. */
export function anOrganisation(capabilities: readonly string[] = ['compose', 'view']): Organisation {
  return {
    viewer: { subject: 'composer', tenant: 'neem', capabilities: [...capabilities], expiresAt: '2100-01-01T00:00:00Z' },
    blueprint: {
      style: 'party',
      name: named('Neem Sangathan', 'नीम संगठन'),
      levels: [
        { key: 'state', name: named('State', 'प्रदेश') },
        { key: 'division', name: named('Division', 'संभाग') },
        { key: 'district', name: named('District', 'ज़िला') },
      ],
      groupKinds: [
        { key: 'internal', hasCategory: false, name: named('Internal', 'आंतरिक') },
        { key: 'category', hasCategory: true, name: named('Category', 'श्रेणी') },
      ],
      categories: [
        { key: 'farmers', name: named('Farmers', 'किसान') },
        { key: 'students', name: named('Students', 'विद्यार्थी') },
        { key: 'women', name: named('Women', 'महिलाएँ') },
      ],
    },
  };
}

interface UnitFacts {
  readonly level?: string;
  readonly groups?: number;
  readonly children?: readonly TestUnit[];
  readonly byCategory?: Readonly<Record<string, number>>;
}

export interface TestUnit {
  readonly id: string;
  readonly level: string;
  readonly code: string;
  readonly name: ReturnType<typeof named>;
  readonly childCount: number;
  readonly children: readonly TestUnit[];
  readonly groupCounts: unknown;
}

/** A unit as the gateway would give it; its id is its name. */
export function aUnit(name: string, { level = 'district', groups = 1, children = [], byCategory = {} }: UnitFacts = {}): TestUnit {
  const facets = Object.entries(byCategory).map(([key, groupCount]) => ({ key, groupCount, memberCount: groupCount * 10 }));
  return {
    id: name,
    level,
    code: name.slice(0, 3).toUpperCase(),
    name: named(name),
    childCount: children.length,
    children,
    groupCounts: { groupCount: groups, memberCount: groups * 100, byKind: [], byCategory: facets, byFlag: [] },
  };
}

function flat(units: readonly TestUnit[]): readonly TestUnit[] {
  return units.flatMap((unit) => [unit].concat(flat(unit.children)));
}

/** The `units` field over a tree: pages of children by cursor. */
export function unitsOf(roots: readonly TestUnit[], pageSize = 100) {
  return ({ parentId, after }: { parentId?: string | null; after?: string | null }) => {
    const siblings = parentId ? (flat(roots).find(({ id }) => id === parentId)?.children ?? []) : roots;
    const start = Number(after ?? 0);
    const nodes = siblings.slice(start, start + pageSize);
    const end = start + nodes.length;
    return { nodes, pageInfo: { hasNextPage: end < siblings.length, endCursor: String(end) } };
  };
}
