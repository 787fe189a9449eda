/** A place in the grid: row 0 and column 0 are the headings. */
export interface Spot {
  readonly row: number;
  readonly column: number;
}

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

const PAGE = 10;

function clamp(value: number, last: number): number {
  return Math.min(Math.max(value, 0), last);
}

/** Where a key leads, by the ARIA grid pattern, or null when it leads nowhere. */
export function spotAfter(key: string, withControl: boolean, { row, column }: Spot, { rows, columns }: Size): Spot | null {
  const move = (toRow: number, toColumn: number) => ({ row: clamp(toRow, rows - 1), column: clamp(toColumn, columns - 1) });
  switch (key) {
    case 'ArrowDown':
      return move(row + 1, column);
    case 'ArrowUp':
      return move(row - 1, column);
    case 'ArrowRight':
      return move(row, column + 1);
    case 'ArrowLeft':
      return move(row, column - 1);
    case 'PageDown':
      return move(row + PAGE, column);
    case 'PageUp':
      return move(row - PAGE, column);
    case 'Home':
      return withControl ? move(0, 0) : move(row, 0);
    case 'End':
      return withControl ? move(rows - 1, columns - 1) : move(row, columns - 1);
    default:
      return null;
  }
}
