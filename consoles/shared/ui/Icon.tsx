/** The product's mark: four seats around a square, where a village meets. */
export function Mark() {
  return (
    <svg width="28" height="28" viewBox="0 0 28 28" aria-hidden="true" focusable="false">
      <rect x="9" y="9" width="10" height="10" rx="2.5" fill="none" stroke="var(--accent)" strokeWidth="2" />
      <g fill="var(--accent)">
        <circle cx="14" cy="3.5" r="2.5" />
        <circle cx="14" cy="24.5" r="2.5" />
        <circle cx="3.5" cy="14" r="2.5" />
        <circle cx="24.5" cy="14" r="2.5" />
      </g>
    </svg>
  );
}

function Stroke({ d, size = 16 }: { d: string; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={d} fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

export const ChevronIcon = () => <Stroke d="M6 3.5 10.5 8 6 12.5" />;
export const CheckIcon = () => <Stroke d="M3.5 8.5 6.5 11.5 12.5 5" />;
export const DashIcon = () => <Stroke d="M4 8h8" />;
export const CrossIcon = () => <Stroke d="M4.5 4.5l7 7m0-7-7 7" size={12} />;
export const WarnIcon = () => <Stroke d="M8 2.5 14 13H2L8 2.5Zm0 4.2v3m0 1.7v.1" />;
export const ShieldIcon = () => <Stroke d="M8 1.8 13 3.6v4c0 3.2-2.1 5.5-5 6.6-2.9-1.1-5-3.4-5-6.6v-4L8 1.8Z" />;
