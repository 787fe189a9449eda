import { createContext, type ReactNode, useContext, useSyncExternalStore } from 'react';

import type { Platform, PlatformState } from './platform';

const Context = createContext<Platform | null>(null);

export function PlatformProvider({ platform, children }: { platform: Platform; children: ReactNode }) {
  return <Context value={platform}>{children}</Context>;
}

export function usePlatform(): Platform {
  const platform = useContext(Context);
  if (platform === null) throw new Error('usePlatform needs a PlatformProvider above it');
  return platform;
}

/** The session, the client and the socket's status, as they are now. */
export function usePlatformState(): PlatformState {
  const platform = usePlatform();
  return useSyncExternalStore(platform.subscribe, platform.get);
}
