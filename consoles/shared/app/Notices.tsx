import { useSyncExternalStore } from 'react';

import { useI18n } from '../i18n/I18n';
import { usePlatformState } from '../session/PlatformProvider';
import styles from './Frame.module.css';

function followOnline(listener: () => void) {
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
}

/** Says when what is on the screen may be old, and stays quiet otherwise. */
export function Notices() {
  const { t } = useI18n();
  const { socket } = usePlatformState();
  const online = useSyncExternalStore(followOnline, () => navigator.onLine);
  const text = online ? socket === 'lost' && t('socket.lost') : t('socket.offline');
  return (
    <div role="status" className={styles.notices}>
      {text !== false && <p className={styles.notice}>{text}</p>}
    </div>
  );
}
