import type { JobResult } from './job.ts'

/** Columns padded to their widest cell: the first to the left, all others to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, column) => { widths[column] = Math.max(widths[column] ?? 0, cell.length) })
  return rows.map(row => row.map((cell, column) => {
    const width = widths[column] ?? 0
    return column === 0 ? cell.padEnd(width) : cell.padStart(width)
  }).join('  ').trimEnd()).join('\n')
}

/** Medians and ratios for people. */
export function formatResults(results: readonly JobResult[]): string {
  const peers = [...new Set(results.flatMap(result => Object.keys(result.peers)))]
  return formatTable([
    ['job', 'n', 'unit', 'ours', 'floor', ...peers, 'to floor', 'to best peer'],
    ...results.map(result => [
      result.job,
      String(result.n),
      result.unit,
      figure(result.ours),
      figure(result.floor),
      ...peers.map(peer => figure(result.peers[peer] ?? null)),
      ratio(result.toFloor),
      ratio(result.toBestPeer),
    ]),
  ])
}

function figure(value: number | null): string {
  return value === null ? '-' : value.toFixed(value < 100 ? 2 : 0)
}

function ratio(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(value < 10 ? 3 : 1)}x`
}
