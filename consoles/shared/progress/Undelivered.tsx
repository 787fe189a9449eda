import { useState } from 'react';
import { useQuery } from 'urql';

import { failureOf } from '../graphql/errors';
import { graphql } from '../graphql/graphql';
import { useI18n } from '../i18n/I18n';
import { ErrorNote } from '../ui/ErrorNote';
import { Skeleton } from '../ui/Skeleton';
import styles from './Progress.module.css';

const UndeliveredQuery = graphql(`
  query Undelivered($id: ID!, $unitId: ID, $first: Int!) {
    broadcast(id: $id) {
      id
      deliveries(first: $first, states: [FAILED, SKIPPED], unitId: $unitId) {
        nodes {
          state
          attemptCount
          reason
          group { id code name { translations { language text } } unit { id name { translations { language text } } } }
        }
        pageInfo { hasNextPage }
      }
    }
  }
`);

const PAGE = 50;
// The most that one page of the gateway holds; whoever needs them all exports them.
const MOST = 1000;

/** `NUMBER_BLOCKED` as a person reads it. */
function reasonText(reason: string): string {
  return reason.toLowerCase().replaceAll('_', ' ');
}

function List({ id, within }: { id: string; within: string | null }) {
  const { t, name } = useI18n();
  const [pages, setPages] = useState(1);
  const [{ data, error, fetching }, again] = useQuery({
    query: UndeliveredQuery,
    variables: { id, unitId: within, first: PAGE * pages },
    requestPolicy: 'cache-and-network',
  });
  const deliveries = data?.broadcast?.deliveries;
  if (!deliveries) {
    if (error && !fetching) return <ErrorNote failure={failureOf(error)} onRetry={() => again({ requestPolicy: 'network-only' })} />;
    return <Skeleton rows={4} label={t('app.loading')} />;
  }
  if (deliveries.nodes.length === 0) return <p className={styles.fine}>{t('undelivered.none')}</p>;
  return (
    <div className={styles.unitScroll} aria-busy={fetching}>
      <table className={styles.units}>
        <thead>
          <tr>
            <th scope="col">{t('undelivered.group')}</th>
            <th scope="col">{t('undelivered.where')}</th>
            <th scope="col">{t('undelivered.reason')}</th>
          </tr>
        </thead>
        <tbody>
          {deliveries.nodes.map(({ group, state, reason, attemptCount }, index) => (
            <tr key={group?.id ?? index}>
              <th scope="row">{group ? name(group.name) : '–'}</th>
              <td>{group?.unit ? name(group.unit.name) : '–'}</td>
              <td>
                <span className={styles.swatch} data-state={state === 'FAILED' ? 'failed' : 'skipped'} aria-hidden="true" />{' '}
                {t(state === 'FAILED' ? 'delivery.failed' : 'delivery.skipped')}
                {reason ? `: ${reasonText(reason)}` : ''}{' '}
                <span className={styles.attempts}>{t('undelivered.attempts', { count: attemptCount })}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {deliveries.pageInfo.hasNextPage && pages * PAGE < MOST && (
        <button type="button" className="button quiet" onClick={() => setPages(pages + 1)}>
          {t('app.more')}
        </button>
      )}
    </div>
  );
}

/** The groups that a broadcast did not reach, with reasons; asked for only when opened. */
export function Undelivered({ id, within }: { id: string; within: string | null }) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.undelivered} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('undelivered.title')}</summary>
      {open && <List id={id} within={within} />}
    </details>
  );
}
