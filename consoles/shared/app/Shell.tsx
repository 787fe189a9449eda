import { type ComponentType, type ReactNode, useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';

import { failureOf } from '../graphql/errors';
import { useI18n } from '../i18n/I18n';
import { usePlatform, usePlatformState } from '../session/PlatformProvider';
import { Empty } from '../ui/Empty';
import { ErrorNote } from '../ui/ErrorNote';
import { PageSkeleton } from '../ui/Skeleton';
import type { ConsoleName } from './ConsoleApp';
import { Footer } from './Footer';
import { Header } from './Header';
import { Notices } from './Notices';
import { type Organisation, OrganisationContext, ShellQuery, type Viewer } from './organisation';

// Longer timers overflow to "at once".
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Ends the session when the token does, so that nobody finds out by a refused message. */
function useExpiry(viewer: Viewer | undefined) {
  const { session } = usePlatform();
  const { token } = usePlatformState().session;
  const expiresAt = viewer?.expiresAt;
  useEffect(() => {
    if (expiresAt === undefined || token === null) return undefined;
    const left = new Date(expiresAt).getTime() - Date.now();
    if (left > LONGEST_TIMER_MS) return undefined;
    const timer = setTimeout(() => session.refuse(token, 'expired'), Math.max(left, 0));
    return () => clearTimeout(timer);
  }, [expiresAt, session, token]);
}

/** The last answer that came: a new token's client starts empty, but the page must not vanish. */
function useShell() {
  const [{ data, error, fetching }, again] = useQuery({ query: ShellQuery });
  const [last, setLast] = useState(data);
  if (data !== undefined && data !== last) setLast(data);
  return { shell: data ?? last, error, fetching, again };
}

interface Props {
  readonly console: ConsoleName;
  readonly page: ComponentType;
  /** What stands over the page, given the tenant. */
  readonly children: (tenant: string | null) => ReactNode;
}

/** The frame around a page: header, notices, footer; and the page's states before it can be drawn. */
export function Shell({ console: name, page: Page, children }: Props) {
  const { t } = useI18n();
  const { shell, error, fetching, again } = useShell();
  useExpiry(shell?.viewer);
  const failure = error === undefined ? null : failureOf(error);
  const organisation = useMemo<Organisation | null>(
    () => (shell?.blueprint ? { viewer: shell.viewer, blueprint: shell.blueprint } : null),
    [shell],
  );
  return (
    <>
      <Header console={name} organisation={organisation} />
      <Notices />
      <main id="content" tabIndex={-1}>
        <h1 className="visually-hidden">{t(`app.${name}`)}</h1>
        {organisation !== null && (
          // Another tenant's token shows another organisation from its beginning.
          <OrganisationContext key={organisation.viewer.tenant} value={organisation}>
            <Page />
          </OrganisationContext>
        )}
        {organisation === null && fetching && <PageSkeleton label={t('app.loading')} />}
        {/* A refused token is answered by the dialog alone. */}
        {organisation === null && !fetching && failure !== null && failure.code !== 'UNAUTHENTICATED' && (
          <ErrorNote failure={failure} onRetry={() => again({ requestPolicy: 'network-only' })} />
        )}
        {organisation === null && !fetching && failure === null && (
          <Empty title={t('app.noBlueprint')}>{t('app.noBlueprintHint')}</Empty>
        )}
      </main>
      <Footer />
      {children(shell?.viewer.tenant ?? null)}
    </>
  );
}
