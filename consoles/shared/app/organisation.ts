import { createContext, useContext } from 'react';

import { graphql, type ResultOf } from '../graphql/graphql';
import type { LocalizedName } from '../i18n/localized';

export const ShellQuery = graphql(`
  query Shell {
    viewer { subject tenant capabilities expiresAt }
    blueprint {
      style
      name { translations { language text } }
      levels { key name { translations { language text } } }
      groupKinds { key hasCategory name { translations { language text } } }
      categories { key name { translations { language text } } }
    }
  }
`);

type Shell = ResultOf<typeof ShellQuery>;
export type Viewer = Shell['viewer'];
export type Blueprint = NonNullable<Shell['blueprint']>;

/** Who looks, and at what kind of organisation. */
export interface Organisation {
  readonly viewer: Viewer;
  readonly blueprint: Blueprint;
}

export const OrganisationContext = createContext<Organisation | null>(null);

export function useOrganisation(): Organisation {
  const organisation = useContext(OrganisationContext);
  if (organisation === null) throw new Error('useOrganisation needs a loaded shell above it');
  return organisation;
}

export function canCompose(viewer: Viewer): boolean {
  return viewer.capabilities.includes('compose');
}

/** The level below another; the lowest has none below and is its own. */
export function levelBelow(blueprint: Blueprint, level: string): string {
  const index = blueprint.levels.findIndex(({ key }) => key === level);
  return blueprint.levels[index + 1]?.key ?? level;
}

/**
 * A level with few enough units to see a whole broadcast by: a third of the way down, such as
 * divisions of seven levels or districts of three.
 */
export function overviewLevel(blueprint: Blueprint): string | null {
  const { levels } = blueprint;
  return levels[Math.floor(levels.length / 3)]?.key ?? null;
}

/** The name of a level, kind or category; a key that the blueprint lacks names itself. */
export function nameOf(entries: readonly { key: string; name: LocalizedName }[], key: string): LocalizedName {
  return entries.find((entry) => entry.key === key)?.name ?? { translations: [{ language: 'en', text: key }] };
}
